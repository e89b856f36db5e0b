import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type DeadLetter, deadLetterId } from "@boxoffice/contracts/deadLetter";
import { decisionRequest } from "@boxoffice/contracts/deadLetterDecision";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { tableFromIPC } from "apache-arrow";
import { readParquet } from "parquet-wasm";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { slices } from "../../ingest/src/slices.ts";
import { decideDeadLetter, showDeadLetter } from "../src/deadLetterFixes.ts";
import { countRepaired, fixFixes } from "../src/fixesInput.ts";
import { recordsParquet } from "../src/recordsParquet.ts";
import { makeLoad } from "./loads.ts";
import { lake } from "./memoryLake.ts";

/** The bundled edition's movies: its letters, and what a manifest says of their columns. */
const source = "0123456789abcdef-v2";
const edition = new URL("../../../data/edition/movies_metadata.csv.gz", import.meta.url);
let header: readonly string[];
/** By slice. */
let letters: Map<number, DeadLetter[]>;
beforeAll(async () => {
  const text = (async function* () {
    yield gunzipSync(readFileSync(edition));
  })();
  const onHeader = (names: readonly string[]) => {
    header = names;
  };
  letters = new Map();
  for await (const slice of slices({ dataset: "movies", loadId: source, file: "movies_metadata.csv", text, onHeader }))
    if (slice.deadLetters.length > 0) letters.set(slice.number, slice.deadLetters);
}, 60_000);

beforeEach(async () => {
  await putLoad(source);
});

/** Puts the letters and the manifest of a load of the bundled movies into the lake. */
async function putLoad(loadId: string): Promise<void> {
  const { manifest } = makeLoad("movies", loadId, [1]);
  await lake.put(lakeKeys.manifest("movies", loadId), JSON.stringify({ ...manifest, load_id: loadId, header }));
  for (const [slice, some] of letters) {
    const lines = some.map((letter) => {
      const id = deadLetterId("movies", loadId, letter.row_number);
      return `${JSON.stringify({ ...letter, id, load_id: loadId })}\n`;
    });
    await lake.put(lakeKeys.deadLetterSlice("movies", loadId, slice), lines.join(""));
  }
}

const idOf = (row: number, loadId = source) => deadLetterId("movies", loadId, row);
const decide = (row: number, request: object) => decideDeadLetter(lake, idOf(row), decisionRequest.parse(request));
const stateOf = async (row: number) => (await showDeadLetter(lake, idOf(row))).state;

/** The inputs' part of a run that reads a load of these movies. */
async function fixesOfRun(loadId = source) {
  const load = (dataset: string) => ({
    load_id: dataset === "movies" ? loadId : "0000000000000000-v1",
    ...{ file: "f", landed_at: "2026-11-01T00:00:00.000Z", sha256: "", prefix: "" },
    ...{ source_rows: 0, dead_letters: 0, bronze: 0 },
  });
  const loads = { movies: load("movies"), links: load("links"), ratings: load("ratings"), cpi: load("cpi") };
  return fixFixes(lake, { loads, appended: {} });
}

/** The repaired records that a run reads, as Spark does. */
async function recordsOfRun(loadId = source): Promise<Record<string, unknown>[]> {
  const [movies] = (await fixesOfRun(loadId)).movies ?? [];
  if (!movies || movies.repaired === 0) return [];
  const bytes = await lake.bytes(`${movies.prefix}/records.parquet`);
  if (!bytes) throw new Error("no repaired records");
  const rows = tableFromIPC(readParquet(bytes).intoIPCStream()).toArray();
  return rows.map((row) => row.toJSON());
}

test("the three split movies of the bundled edition are mended by merging two fragments each", async () => {
  expect([...letters.values()].flat().map(({ row_number }) => row_number)).toEqual([
    19730, 19731, 29503, 29504, 35587, 35588,
  ]);
  for (const first of [19730, 29503, 35587]) {
    expect(await decide(first, { merge_with: idOf(first + 1) })).toMatchObject({ state: "fixed" });
    expect(await showDeadLetter(lake, idOf(first + 1))).toMatchObject({
      state: "merged_into",
      merged_into: idOf(first),
    });
  }
  const records = await recordsOfRun();
  expect(
    records.map(({ row_number, id, imdb_id, title, overview }) => [row_number, id, imdb_id, title, overview]),
  ).toEqual([
    [19730, 82663, "tt0113002", "Midnight Man", null],
    [29503, 122662, "tt2423504", "Mardock Scramble: The Third Exhaust", null],
    [35587, 249260, "tt2622826", "Avalanche Sharks", null],
  ]);
  expect(records[1]).toMatchObject({ runtime: 68, vote_average: 7, vote_count: 12, video: "False", revenue: 0 });
  expect(new Date(Number(records[1]?.release_date)).toISOString()).toBe("2012-09-29T00:00:00.000Z");
  const { movies } = await fixesOfRun();
  expect(movies).toMatchObject([{ source, decisions: 3, repaired: 3 }]);
  expect(await countRepaired(lake, movies)).toBe(3);
});

test("a full refresh of the same bytes is another load, and what was decided holds for it", async () => {
  await decide(19730, { merge_with: idOf(19731) });
  await decide(29503, { discard: "not wanted" });
  const refreshed = `${source}-89abcdef`;
  await putLoad(refreshed);
  expect(await showDeadLetter(lake, idOf(19731, refreshed))).toMatchObject({
    state: "merged_into",
    merged_into: idOf(19730, refreshed),
  });
  expect(await showDeadLetter(lake, idOf(29503, refreshed))).toMatchObject({ state: "discarded" });
  expect(await recordsOfRun(refreshed)).toEqual(await recordsOfRun());
  expect(await fixesOfRun("fedcba9876543210-v2")).toEqual({});
});

test("the newest fix of a letter wins, and counts once", async () => {
  await decide(19730, { merge_with: idOf(19731) });
  const changed = await decide(19730, { merge_with: [idOf(19731)], set: { title: "Another", vote_count: "7" } });
  expect(changed.history.map(({ set }) => set)).toEqual([undefined, { title: "Another", vote_count: "7" }]);
  expect(await recordsOfRun()).toMatchObject([{ row_number: 19730, title: "Another", vote_count: 7 }]);
});

test("the same decision again is no other one", async () => {
  const once = await decide(19730, { merge_with: idOf(19731) });
  expect(await decide(19730, { merge_with: idOf(19731) })).toEqual(once);
  const discarded = await decide(29503, { discard: "not wanted" });
  expect(await decide(29503, { discard: "not wanted" })).toEqual(discarded);
  expect(await decide(29504, { reopen: true })).toMatchObject({ state: "open", history: [] });
  expect((await fixesOfRun()).movies).toMatchObject([{ decisions: 2, repaired: 1 }]);
});

test("of decisions made at the same time each is in the log, and none was judged by an older one", async () => {
  const together = await Promise.allSettled([
    decide(19730, { merge_with: idOf(19731) }),
    decide(19731, { merge_with: idOf(19730) }),
    decide(29503, { merge_with: idOf(29504) }),
    decide(35587, { discard: "one" }),
  ]);
  expect(together.map(({ status }) => status).sort()).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"]);
  expect((await fixesOfRun()).movies).toMatchObject([{ decisions: 3, repaired: 2 }]);
});

test("a letter that is opened again has no record, and its fragments are open too", async () => {
  await decide(19730, { merge_with: idOf(19731) });
  await expect(decide(19731, { discard: "no" })).rejects.toMatchObject({ status: 409, code: "merged_elsewhere" });
  await expect(decide(19731, { reopen: true })).rejects.toThrow(`./box dead-letters reopen ${idOf(19730)}`);
  expect(await decide(19730, { reopen: true })).toMatchObject({ state: "open", history: [{}, { state: "open" }] });
  expect(await stateOf(19731)).toBe("open");
  const { movies } = await fixesOfRun();
  expect(movies).toMatchObject([{ decisions: 2, repaired: 0 }]);
  expect(await countRepaired(lake, movies)).toBe(0);
});

test("a run goes by the decisions that there were when its inputs were fixed", async () => {
  await decide(19730, { merge_with: idOf(19731) });
  const before = await fixesOfRun();
  await decide(29503, { merge_with: idOf(29504) });
  expect(await countRepaired(lake, before.movies)).toBe(1);
  expect(await countRepaired(lake, (await fixesOfRun()).movies)).toBe(2);
});

const wrong = (request: object, message: RegExp, row = 19730) =>
  expect(decide(row, request)).rejects.toMatchObject({ status: 400, message: expect.stringMatching(message) });

test("what still breaks the contract is refused with its rule and what to do, and nothing is decided", async () => {
  await wrong({ set: { title: "x" } }, /wrong_number_of_cells.*expected: 24 cells.*found: +10 cells.*--merge.*--file/s);
  await wrong({ merge_with: idOf(19731), set: { vote_average: "11" } }, /out_of_range.*vote_average: .*'11'/s);
  await wrong({ merge_with: idOf(19731), set: { id: "" } }, /missing_key/);
  await wrong({ merge_with: idOf(19731), set: { titel: "x" } }, /no column titel\n.*expected: one of adult, /s);
  await wrong({ merge_with: idOf(29503) }, /19730, 29503, which do not follow each other/);
  await wrong({ merge_with: idOf(19730) }, /do not follow each other/);
  await wrong({ record: "1,2,3" }, /found: +3 cells.*the columns are: adult,/s);
  await wrong({ record: '"open' }, /cannot be read as CSV/);
  await wrong({ record: "a\nb\n" }, /found: +2 records/);
  expect((await showDeadLetter(lake, idOf(19730))).history).toEqual([]);
});

test("a whole record is taken as CSV, with the header before it or without", async () => {
  const line = ["True", ...Array(4).fill(""), "82663", ...Array(14).fill(""), '"Two\nlines"', ...Array(3).fill("")];
  await decide(19730, { record: `\uFEFF${header.join(",")}\r\n${line.join(",")}\r\n` });
  expect(await recordsOfRun()).toMatchObject([{ row_number: 19730, id: 82663, adult: "True", title: "Two\nlines" }]);
  expect(await decide(19730, { record: line.join(",") })).toMatchObject({ history: [{}] });
  expect(await stateOf(19731)).toBe("open");
});

test("a letter that nobody knows is not found, and one of the live lane cannot be fixed", async () => {
  for (const id of [idOf(1), idOf(19730, "fedcba9876543210-v2"), "typo", "movies.x.1"])
    await expect(showDeadLetter(lake, id)).rejects.toMatchObject({ status: 404, code: "unknown_dead_letter" });
  await expect(showDeadLetter(lake, "ratings-live.2.40")).rejects.toThrow("post the rating again");
});

test("a load that does not say its columns is to be loaded anew", async () => {
  const { manifest } = makeLoad("movies", source, [1]);
  await lake.put(lakeKeys.manifest("movies", source), JSON.stringify({ ...manifest, load_id: source }));
  expect(await decide(19730, { discard: "no need" })).toMatchObject({ state: "discarded" });
  await expect(decide(19730, { merge_with: idOf(19731) })).rejects.toThrow("./box run --full-refresh");
});

test("a repaired record has the types of bronze, whatever its columns are", () => {
  const records = [
    { row_number: 3, record: { user_id: 1, movie_id: 2, rating: 4.5, timestamp: 9_999_999_999 } },
    { row_number: 7, record: { user_id: 1, movie_id: 3, rating: null, timestamp: null } },
  ];
  const table = tableFromIPC(readParquet(recordsParquet("ratings", records)).intoIPCStream());
  expect(table.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
    ...["row_number Int32", "user_id Int32", "movie_id Int32", "rating Float64", "timestamp Int64"],
  ]);
  expect(table.toArray().map((row) => Object.values(row.toJSON()))).toEqual([
    [3, 1, 2, 4.5, 9_999_999_999n],
    [7, 1, 3, null, null],
  ]);
  expect(recordsParquet("ratings", records)).toEqual(recordsParquet("ratings", records));
});
