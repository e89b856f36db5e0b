import { type DatasetName, datasetNames, datasets } from "@boxoffice/contracts/dataset";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { liveDeadLetterId } from "@boxoffice/contracts/liveRating";
import { type RunInputs, runInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { writeHop } from "@boxoffice/platform/writeHop";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunDeadLetters, runDeadLetters } from "../src/deadLetters.ts";
import { appendDecision } from "../src/decisions.ts";
import { fixFixes } from "../src/fixesInput.ts";
import { writeLiveDeadLetter } from "../src/liveBronze.ts";
import { newLake, uniqueName } from "./engines.ts";
import { type MadeLoad, makeLoad } from "./loads.ts";

let lake: ObjectStore;
beforeAll(async () => {
  lake = await newLake();
  for (const [partition, offset] of [
    [0, 3],
    [0, 5],
    [1, 0],
  ] as const)
    await writeLiveDeadLetter(lake, { partition, offset, reason: "not JSON", raw: "{" });
});
afterAll(() => lake.close());

/** A load whose dead letters are in the lake, as the loader puts them there. */
async function putLoad(dataset: DatasetName, rejects: number): Promise<MadeLoad> {
  const load = makeLoad(dataset, uniqueName("seed"), [1], [rejects]);
  for (const { slice, deadLetters } of load.slices) {
    if (deadLetters.length === 0) continue;
    await lake.put(
      lakeKeys.deadLetterSlice(dataset, load.load_id, slice),
      deadLetters.map((line) => `${line}\n`).join(""),
    );
  }
  return load;
}

/** A run whose links, and what was appended to them, have so many dead letters; it reads live ratings below offsets. */
async function putRun(rejects: number, offsets: number[], appended: number[] = []): Promise<string> {
  const run_id = uniqueName("run");
  const inputOf = async (dataset: DatasetName, bad = dataset === "links" ? rejects : 0) => {
    const { load_id, manifest } = await putLoad(dataset, bad);
    const { file, landed_at, sha256, source_rows, rows: bronze, dead_letters } = manifest;
    const prefix = lakeKeys.bronze(dataset, load_id);
    return { load_id, file, landed_at, sha256, source_rows, dead_letters, bronze, prefix };
  };
  const inputs: RunInputs = {
    run_id,
    edition: "made",
    fixed_at: new Date().toISOString(),
    published_run: null,
    loads: {
      movies: await inputOf("movies"),
      links: await inputOf("links"),
      ratings: await inputOf("ratings"),
      cpi: await inputOf("cpi"),
    },
    appended: { links: await Promise.all(appended.map((bad) => inputOf("links", bad))) },
    live: { prefix: lakeKeys.liveRatings, offsets, source_rows: 0, dead_letters: 0, bronze: 0 },
    fixes: {},
    notes: [],
  };
  await lake.put(lakeKeys.hop(run_id, "inputs"), JSON.stringify(inputs));
  return run_id;
}

test("a run has the dead letters of its loads, and of the live ratings those below its barrier", async () => {
  const page = await runDeadLetters(lake, await putRun(2, [5, 1, 0, 0]));
  expect(page?.dead_letters.map(({ dataset, row_number }) => [dataset, row_number])).toEqual([
    ["links", 2],
    ["links", 3],
  ]);
  expect(page?.live_dead_letters).toEqual([
    { partition: 0, offset: 3, reason: "not JSON", raw: "{" },
    { partition: 1, offset: 0, reason: "not JSON", raw: "{" },
  ]);
  expect(page).toMatchObject({ total: 4, not_loaded: [], failure: null });
});

test("what was appended has dead letters of its own, and decisions about them are counted by their source", async () => {
  const run = await putRun(1, [], [0, 2]);
  const letters = async () => (await runDeadLetters(lake, run))?.dead_letters ?? [];
  const [ofBase, first, second] = await letters();
  expect(await letters()).toHaveLength(3);
  if (!ofBase || !first || !second) throw new Error("three letters are made");
  expect(first.load_id).not.toBe(ofBase.load_id);
  expect([first.row_number, second.row_number]).toEqual([2, 3]);
  const { id, dataset, load_id: source, row_number } = second;
  const decision = { id, dataset, source, row_number, at: new Date().toISOString() };
  await appendDecision(lake, [], { ...decision, state: "discarded", reason: "a test" });
  expect((await letters()).map(({ state }) => state)).toEqual(["open", "open", "discarded"]);
  expect(await runDeadLetters(lake, run)).toMatchObject({ pending: 1, states: { open: 2, discarded: 1 } });
  const inputs = await lake.json(lakeKeys.hop(run, "inputs"), runInputs);
  const fixes = inputs && (await fixFixes(lake, inputs));
  expect(fixes).toEqual({ links: [expect.objectContaining({ source, decisions: 1, repaired: 0 })] });
  await lake.put(lakeKeys.hop(run, "inputs"), JSON.stringify({ ...inputs, fixes }));
  expect(await runDeadLetters(lake, run)).toMatchObject({ pending: 0 });
});

test("a run from before there were live ratings has none of their dead letters", async () => {
  expect(await runDeadLetters(lake, await putRun(1, []))).toMatchObject({ live_dead_letters: [], total: 1 });
});

test("a thousand dead letters are shown, and all are counted", async () => {
  const page = await runDeadLetters(lake, await putRun(999, [6, 1, 0, 0]));
  expect(page?.dead_letters).toHaveLength(999);
  expect(page?.live_dead_letters).toHaveLength(1);
  expect(page).toMatchObject({ total: 1_002, next: "ratings-live.0.3" });
});

/** The ids on a page, in their order. */
const idsOn = ({ dead_letters, live_dead_letters }: RunDeadLetters) => [
  ...dead_letters.map(({ id }) => id),
  ...live_dead_letters.map(liveDeadLetterId),
];

test.each([1, 2, 3, 4, 9, 10, 1_000])(
  "pages of %i have every dead letter once, and the last names no next",
  async (limit) => {
    const run = await putRun(3, [6, 1, 0, 0], [0, 2, 1]);
    const whole = await runDeadLetters(lake, run);
    if (!whole) throw new Error("the run is made");
    expect(whole).toMatchObject({ run_id: run, total: 9, next: null });
    expect(new Set(idsOn(whole)).size).toBe(9);
    const ids: string[] = [];
    const sizes: number[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const page = await runDeadLetters(lake, run, { after, limit });
      if (!page) throw new Error("the run is made");
      ids.push(...idsOn(page));
      sizes.push(idsOn(page).length);
      expect(page.total).toBe(9);
      after = page.next;
    }
    expect(ids).toEqual(idsOn(whole));
    expect(sizes).toHaveLength(Math.ceil(9 / limit));
  },
);

test("a page begins in the slice that its cursor is in, and reads none before it", async () => {
  const run = await putRun(2, []);
  const first = (await runDeadLetters(lake, run))?.dead_letters[0];
  if (!first) throw new Error("two letters are made");
  const { load_id } = first;
  const row_number = datasets.links.sliceRecords + 7;
  const id = `links.${load_id}.${row_number}`;
  await lake.put(lakeKeys.deadLetterSlice("links", load_id, 1), `${JSON.stringify({ ...first, id, row_number })}\n`);
  await lake.put(lakeKeys.deadLetterSlice("links", load_id, 0), "no letter\n");
  const behind = async (row: number) => runDeadLetters(lake, run, { after: `links.${load_id}.${row}` });
  expect((await behind(row_number - 1))?.dead_letters).toMatchObject([{ id }]);
  expect((await behind(row_number))?.dead_letters).toEqual([]);
});

test("what is decided between two pages moves none of them", async () => {
  const run = await putRun(3, []);
  const first = await runDeadLetters(lake, run, { limit: 1 });
  const [letter] = first?.dead_letters ?? [];
  if (!first?.next || !letter) throw new Error("three letters are made");
  const { id, dataset, load_id: source, row_number } = letter;
  const at = new Date().toISOString();
  await appendDecision(lake, [], { id, dataset, source, row_number, at, state: "discarded", reason: "a test" });
  const rest = await runDeadLetters(lake, run, { after: first.next });
  expect(rest?.dead_letters.map((other) => other.row_number)).toEqual([row_number + 1, row_number + 2]);
  expect(rest).toMatchObject({ next: null, states: { open: 2, discarded: 1 } });
});

test("no page begins after what is no dead letter of the run", async () => {
  const [run, other] = [await putRun(1, []), await putRun(1, [])];
  const ofOther = (await runDeadLetters(lake, other))?.dead_letters[0]?.id ?? "";
  for (const after of [ofOther, "links.typo.1", "7"])
    await expect(runDeadLetters(lake, run, { after })).rejects.toMatchObject({ code: "unknown_cursor", status: 400 });
});

test("a run that was refused for its rejects says so, and where they are, beside what it loaded", async () => {
  const run_id = uniqueName("run");
  const links = await putLoad("links", 3);
  await writeHop(lake, Date.now(), { hop: "ingest.links", run_id, load_id: links.load_id, rows: {} });
  const refused = await putLoad("movies", 7);
  const message = `movies_metadata.csv: 7 of 8 records break the contract; they are in ${lakeKeys.deadLetters("movies", refused.load_id)}`;
  await lake.put(lakeKeys.hop(run_id, "failure"), JSON.stringify({ run_id, code: "too_many_rejects", message }));
  expect(await runDeadLetters(lake, run_id)).toMatchObject({
    total: 3,
    not_loaded: datasetNames.filter((dataset) => dataset !== "links"),
    failure: message,
  });
  const last = `links.${links.load_id}.4`;
  const page = await runDeadLetters(lake, run_id, { after: `links.${links.load_id}.3`, limit: 1 });
  expect(page).toMatchObject({ total: 3, dead_letters: [{ id: last }], next: null });
});

test("a run that nobody knows has no answer, not even none", async () => {
  expect(await runDeadLetters(lake, "nobody")).toBeUndefined();
});
