import { deadLetterId } from "@boxoffice/contracts/deadLetter";
import type { DeadLetterDecision } from "@boxoffice/contracts/deadLetterDecision";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { noLiveInput } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { writeHop } from "@boxoffice/platform/writeHop";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bronze } from "../src/bronze.ts";
import { runDeadLetters } from "../src/deadLetters.ts";
import { appendDecision } from "../src/decisions.ts";
import { readHop } from "../src/hopReports.ts";
import { fixInputs, refuseOlder } from "../src/inputs.ts";
import { readSeal, type SealParts, sealLoad } from "../src/seal.ts";
import { newLake, quietLog, uniqueName } from "./engines.ts";
import { type MadeLoad, makeLoad, putBronze, putManifest } from "./loads.ts";

let lake: ObjectStore;
let parts: SealParts;

beforeAll(async () => {
  lake = await newLake();
  parts = {
    lake,
    bronze: new Bronze(lake, quietLog),
    consumerFault: () => undefined,
    hasUnread: async () => true,
    idleMilliseconds: 400,
  };
});
afterAll(() => lake.close());

const nothingLive = async () => noLiveInput;
const job = { signal: new AbortController().signal, progress: () => {} };
const request = (load: MadeLoad, run_id = "run-1") => ({ run_id, dataset: load.dataset, load_id: load.load_id });

const twoGroups = (seed: string, rejects: number[] = []) =>
  makeLoad(
    "links",
    uniqueName(seed),
    Array.from({ length: 20 }, () => 2),
    rejects,
  );

test("a load that is whole is sealed once, and its hop is reported for each run that seals it", async () => {
  const load = twoGroups("whole", [3]);
  await putManifest(lake, load);
  await putBronze(lake, load);
  const sealed = await sealLoad(parts, request(load), job);
  expect(sealed).toMatchObject({ rows: 40, dead_letters: 3, was_sealed: false });
  const again = await sealLoad(parts, request(load, "run-2"), job);
  expect(again).toMatchObject({ sealed_at: sealed.sealed_at, was_sealed: true });
  expect(await readHop(lake, "run-2", "bronze.links")).toMatchObject({
    load_id: load.load_id,
    rows: { links: { rows_in: 40, rows_out: 40, dropped: {} } },
  });
});

test("a group that never comes is named, with its slices and rows, and nothing is sealed", async () => {
  const load = twoGroups("missing");
  await putManifest(lake, load);
  await putBronze(lake, load, [32]);
  await expect(sealLoad(parts, request(load), job)).rejects.toThrow(
    /not complete in bronze, .*: missing are group 1 \(slices 16 to 19, 8 rows\)/,
  );
  expect(await readSeal(lake, "links", load.load_id)).toBeUndefined();
});

test("a group with other rows than the manifest's is an error at once", async () => {
  const load = twoGroups("mismatch");
  await putManifest(lake, load);
  await putBronze(lake, load, [32, 7]);
  await expect(sealLoad(parts, request(load), job)).rejects.toThrow(
    `group 1 of load ${load.load_id} of links has 7 rows in bronze; the manifest says one object with 8`,
  );
});

test("dead letters that are not there keep a load from being sealed", async () => {
  const load = twoGroups("letters", [1, 1]);
  await putManifest(lake, load);
  await putBronze(lake, load);
  await lake.delete([lakeKeys.deadLetterSlice("links", load.load_id, 1)]);
  await expect(sealLoad(parts, request(load), job)).rejects.toThrow("missing are the dead letters of 1 of 2 slices");
  await lake.put(lakeKeys.deadLetterSlice("links", load.load_id, 1), "{}\n{}\n");
  await expect(sealLoad(parts, request(load), job)).rejects.toThrow(
    "has 3 dead letters in 2 slices; the manifest says 2 in 2",
  );
});

test("a dead letters' object that is being written again under a temporary name is not counted", async () => {
  const load = twoGroups("temporary", [0, 2]);
  await putManifest(lake, load);
  await putBronze(lake, load);
  const letters = lakeKeys.deadLetterSlice("links", load.load_id, 1);
  await lake.put(`${letters}-5c2c1c5e-6b0c-4a43-9c50-0d4a1d2f7a51`, "{}\n");
  expect(await sealLoad(parts, request(load), job)).toMatchObject({ dead_letters: 2 });
});

test("a load without a manifest was not ingested to its end", async () => {
  const load = twoGroups("no manifest");
  await expect(sealLoad(parts, request(load), job)).rejects.toThrow("its ingest has not ended");
});

const editionDay = (day: string) => ({ landed: `2026-11-${day}T00:00:00.000Z` });

async function sealedEdition(day: string): Promise<MadeLoad[]> {
  const { landed } = editionDay(day);
  const loads = (["movies", "links", "ratings", "cpi"] as const).map((dataset) =>
    makeLoad(dataset, uniqueName(dataset), [2, 2], [1], landed),
  );
  for (const load of loads) {
    await putManifest(lake, load);
    await putBronze(lake, load);
    await sealLoad(parts, request(load), job);
  }
  return loads;
}

async function ingested(runId: string, loads: readonly MadeLoad[], appends = false): Promise<void> {
  for (const { dataset, load_id } of loads) {
    const report = { hop: `ingest.${dataset}`, run_id: runId, load_id, rows: {} };
    await writeHop(lake, Date.now(), { ...report, ...(appends ? { appends } : {}) });
  }
}

/** A file to append, in bronze. */
async function sealedLoad(dataset: "ratings" | "movies", day: string): Promise<MadeLoad> {
  const load = makeLoad(dataset, uniqueName("more"), [1, 1], [1], editionDay(day).landed);
  await putManifest(lake, load);
  await putBronze(lake, load);
  await sealLoad(parts, request(load), job);
  return load;
}

const idsOf = (loads: readonly { load_id: string }[] = []) => loads.map(({ load_id }) => load_id);

test("a run reads what it ingested and else what the published run read; once fixed it stays", async () => {
  const [first, second] = [await sealedEdition("01"), await sealedEdition("02")];
  const [runA, runB] = [uniqueName("a"), uniqueName("b")];
  await ingested(runA, first);
  const inputsA = await fixInputs(lake, null, { run_id: runA }, nothingLive);
  expect(inputsA.loads.ratings).toMatchObject({
    load_id: first[2]?.load_id,
    source_rows: 5,
    dead_letters: 1,
    bronze: 4,
  });
  expect(inputsA.edition).toBe("movies_metadata.csv, links.csv, ratings.csv, CPIAUCSL.csv");

  await ingested(runB, second.slice(0, 1));
  const inputsB = await fixInputs(lake, runA, { run_id: runB }, nothingLive);
  expect(Object.values(inputsB.loads).map(({ load_id }) => load_id)).toEqual(
    [second[0], first[1], first[2], first[3]].map((load) => load?.load_id),
  );
  await ingested(runB, second);
  expect(await fixInputs(lake, runA, { run_id: runB }, nothingLive)).toEqual(inputsB);
  expect((await runDeadLetters(lake, runB))?.total).toBe(4);
});

test("a run goes by what was decided about dead letters when its inputs were fixed, and a new run by what is then", async () => {
  const loads = await sealedEdition("05");
  const [links] = loads.filter(({ dataset }) => dataset === "links");
  if (!links) throw new Error("no links");
  const { dataset, load_id } = links;
  const decision: DeadLetterDecision = {
    ...{ id: deadLetterId(dataset, load_id, 3), dataset, source: load_id, row_number: 3, state: "fixed" },
    ...{ at: new Date().toISOString(), record: { movie_id: 9, imdb_id: "tt9", tmdb_id: null } },
  };
  const [before, after] = [uniqueName("before"), uniqueName("after")];
  await ingested(before, loads);
  expect((await fixInputs(lake, null, { run_id: before }, nothingLive)).fixes).toEqual({});
  await appendDecision(lake, [], decision);
  expect((await fixInputs(lake, null, { run_id: before }, nothingLive)).fixes).toEqual({});
  expect(await runDeadLetters(lake, before)).toMatchObject({ total: 4, states: { open: 3, fixed: 1 }, pending: 1 });

  const { fixes } = await fixInputs(lake, before, { run_id: after }, nothingLive);
  expect(fixes).toMatchObject({ links: [{ source: load_id, decisions: 1, repaired: 1 }] });
  expect(await runDeadLetters(lake, after)).toMatchObject({ total: 4, states: { open: 3, fixed: 1 }, pending: 0 });
  const late = fixInputs(lake, after, { run_id: before }, nothingLive);
  await expect(late).resolves.toMatchObject({ fixes: {} });
});

test("an edition that landed before the published one is refused, naming files and days, unless it is allowed", async () => {
  const [older, newer] = [await sealedEdition("03"), await sealedEdition("04")];
  const [published, run] = [uniqueName("new"), uniqueName("old")];
  await ingested(published, newer);
  await fixInputs(lake, null, { run_id: published }, nothingLive);
  await ingested(run, older.slice(2, 3));
  const refused = fixInputs(lake, published, { run_id: run }, nothingLive);
  await expect(refused).rejects.toMatchObject({ code: "older_edition" });
  await expect(refused).rejects.toThrow(/ratings: ratings.csv landed 2026-11-03.*landed 2026-11-04.*--allow-older/s);
  const allowed = await fixInputs(lake, published, { run_id: run, allow_older: true }, nothingLive);
  expect(allowed.loads.ratings.load_id).toBe(older[2]?.load_id);
});

test("a load that is not sealed, or a dataset without any, is said by name", async () => {
  const load = makeLoad("movies", uniqueName("unsealed"), [1]);
  await putManifest(lake, load);
  const run = uniqueName("unsealed");
  await ingested(run, [load]);
  await expect(fixInputs(lake, null, { run_id: run }, nothingLive)).rejects.toThrow(
    /of movies is not sealed|ingested no/,
  );
  await expect(fixInputs(lake, null, { run_id: uniqueName("none") }, nothingLive)).rejects.toThrow(
    /ingested no (movies|links|ratings|cpi)/,
  );
});

test("what is appended comes behind all that the published run reads, and stays while its base's bytes do", async () => {
  const edition = await sealedEdition("10");
  const [one, two, movies] = [
    await sealedLoad("ratings", "11"),
    await sealedLoad("ratings", "12"),
    await sealedLoad("movies", "12"),
  ];
  const [base, first, second, daily, other] = ["base", "first", "second", "daily", "other"].map(uniqueName);
  if (!base || !first || !second || !daily || !other) throw new Error("five runs are named");
  await ingested(base, edition);
  const inputs = await fixInputs(lake, null, { run_id: base }, nothingLive);
  expect(inputs).toMatchObject({ appended: {}, notes: [] });

  await ingested(first, [one], true);
  const withOne = await fixInputs(lake, base, { run_id: first }, nothingLive);
  expect(withOne.loads).toEqual(inputs.loads);
  expect(withOne.edition).toBe("movies_metadata.csv, links.csv, ratings.csv and 1 appended, CPIAUCSL.csv");
  await ingested(second, [two, movies], true);
  const { appended, notes } = await fixInputs(lake, first, { run_id: second }, nothingLive);
  expect(idsOf(appended.ratings)).toEqual([one.load_id, two.load_id]);
  expect(idsOf(appended.movies)).toEqual([movies.load_id]);
  expect(notes).toEqual([]);

  // The edition again, and with its ratings loaded anew.
  await ingested(daily, edition);
  expect(await fixInputs(lake, second, { run_id: daily }, nothingLive)).toMatchObject({ appended, notes: [] });
  const replaced = await sealedEdition("13");
  await ingested(other, [...edition.slice(0, 2), ...replaced.slice(2)]);
  const changed = await fixInputs(lake, second, { run_id: other }, nothingLive);
  expect(changed.appended).toEqual({ movies: appended.movies });
  expect(changed.notes).toEqual([
    expect.stringMatching(
      /^ratings: ratings.csv holds other bytes .*: ratings.csv landed 2026-11-11.*, ratings.csv landed 2026-11-12/,
    ),
  ]);
});

test("a file whose bytes are read already is not appended again, which is said; other files of the run are", async () => {
  const edition = await sealedEdition("14");
  const [one, two] = [await sealedLoad("ratings", "15"), await sealedLoad("movies", "15")];
  const [base, first, again, whole] = ["base", "first", "again", "whole"].map(uniqueName);
  if (!base || !first || !again || !whole) throw new Error("four runs are named");
  await ingested(base, edition);
  await fixInputs(lake, null, { run_id: base }, nothingLive);
  await ingested(first, [one], true);
  const { appended } = await fixInputs(lake, base, { run_id: first }, nothingLive);
  await ingested(again, [one, two], true);
  const inputs = await fixInputs(lake, first, { run_id: again }, nothingLive);
  expect(inputs.appended.ratings).toEqual(appended.ratings);
  expect(idsOf(inputs.appended.movies)).toEqual([two.load_id]);
  expect(inputs.notes).toEqual([
    expect.stringMatching(
      /^ratings: ratings.csv holds the same bytes as ratings.csv landed 2026-11-15.*: nothing is appended$/,
    ),
  ]);
  await ingested(whole, edition.slice(2, 3), true);
  const ofBase = await fixInputs(lake, first, { run_id: whole }, nothingLive);
  expect(ofBase).toMatchObject({ appended, notes: [expect.stringContaining("landed 2026-11-14")] });
});

test("two runs that append at once: the one that is published second is older, and a new run has both", async () => {
  const edition = await sealedEdition("16");
  const [one, two] = [await sealedLoad("ratings", "17"), await sealedLoad("ratings", "18")];
  const [base, first, second, third] = ["base", "first", "second", "third"].map(uniqueName);
  if (!base || !first || !second || !third) throw new Error("four runs are named");
  await ingested(base, edition);
  await fixInputs(lake, null, { run_id: base }, nothingLive);
  await ingested(first, [one], true);
  await ingested(second, [two], true);
  const published = await fixInputs(lake, base, { run_id: first }, nothingLive);
  const late = await fixInputs(lake, base, { run_id: second }, nothingLive);
  expect(() => refuseOlder(late, published)).toThrow(/it lacks ratings.csv landed 2026-11-17/);
  await ingested(third, [two], true);
  const both = await fixInputs(lake, first, { run_id: third }, nothingLive);
  expect(idsOf(both.appended.ratings)).toEqual([one.load_id, two.load_id]);
  expect(() => refuseOlder(both, published)).not.toThrow();
});

test("there is nothing to append to before the first publication", async () => {
  const run = uniqueName("alone");
  await ingested(run, [await sealedLoad("ratings", "19")], true);
  await expect(fixInputs(lake, null, { run_id: run }, nothingLive)).rejects.toMatchObject({
    code: "nothing_published",
    message: expect.stringContaining("has ratings to append, and no run is published"),
  });
});
