import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { type RunInputs, runInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { writeHop } from "@boxoffice/platform/writeHop";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runDeadLetters } from "../src/deadLetters.ts";
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
  expect(page?.total).toBe(1_002);
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
});

test("a run that nobody knows has no answer, not even none", async () => {
  expect(await runDeadLetters(lake, "nobody")).toBeUndefined();
});
