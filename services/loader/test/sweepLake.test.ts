import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { expect, test } from "vitest";
import { sweepLake } from "../src/sweepLake.ts";
import { quietLog } from "./engines.ts";
import { lake, server } from "./memoryLake.ts";

const hour = 60 * 60 * 1000;
const now = Date.now();

async function putAt(key: string, hoursAgo: number, content = "rows"): Promise<void> {
  await lake.put(key, content);
  const kept = server.objects.get(key);
  if (kept) kept.modified = new Date(now - hoursAgo * hour);
}

/** A run whose gold was written an hour after its silver. */
async function putRun(run: string, goldHoursAgo: number): Promise<void> {
  await putAt(`silver/${run}/try1/movie/part-0.parquet`, goldHoursAgo + 1);
  await putAt(`silver/${run}/try2/movie/part-0.parquet`, goldHoursAgo + 1);
  await putAt(`gold/${run}/try1/dim_movie/part-0.parquet`, goldHoursAgo);
}

const reported = (run: string, hoursAgo: number, published: boolean) =>
  putAt(
    lakeKeys.hop(run, "publish"),
    hoursAgo,
    JSON.stringify({ published, started_at: new Date(now - hoursAgo * hour).toISOString(), seconds: 1 }),
  );

async function left(): Promise<string[]> {
  const runs = new Set<string>();
  for (const layer of ["silver/", "gold/"]) {
    for await (const { key } of lake.list(layer)) runs.add(key.split("/").slice(0, 2).join("/"));
  }
  return [...runs].sort();
}
const whole = (...runs: string[]) =>
  [...runs.map((run) => `gold/${run}`), ...runs.map((run) => `silver/${run}`)].sort();

test("runs that the warehouse keeps stay, however old, and one that it has not yet", async () => {
  await putRun("kept", 1000);
  await putRun("under-way", 0);
  await sweepLake(lake, new Set(["kept"]), quietLog, now);
  expect(await left()).toEqual(whole("kept", "under-way"));
});

test("what a kept run shares stays, whichever run wrote it, and goes with the last that shares it", async () => {
  for (const run of ["base", "between", "kept", "alone"]) await putRun(run, 1000);
  const parts = { dim_movie: { added: ["gold/base/try1/dim_movie"], replaced: ["gold/between/try1/gone"] } };
  const report = { hop: "gold", run_id: "kept", started_at: new Date(now).toISOString(), seconds: 1, rows: {}, parts };
  await putAt(lakeKeys.hop("kept", "gold"), 1000, JSON.stringify(report));
  await sweepLake(lake, new Set(["kept"]), quietLog, now);
  expect(await left()).toEqual(whole("base", "between", "kept"));
  await sweepLake(lake, new Set(), quietLog, now);
  expect(await left()).toEqual([]);
});

test("a run that bears the name of a dataset goes too where a kept run's ratings are those of bronze", async () => {
  await putRun("ratings", 1000);
  const parts = { rating: { added: ["bronze/ratings/load=a"], replaced: [] } };
  const report = {
    hop: "silver",
    run_id: "kept",
    started_at: new Date(now).toISOString(),
    seconds: 1,
    rows: {},
    parts,
  };
  await putAt(lakeKeys.hop("kept", "silver"), 1000, JSON.stringify(report));
  await sweepLake(lake, new Set(["kept"]), quietLog, now);
  expect(await left()).toEqual([]);
});

test("every try of a run that was published and is kept no more goes at once, and its reports stay", async () => {
  await putRun("published", 3);
  await reported("published", 2, true);
  await putRun("published-10", 0);
  await sweepLake(lake, new Set(), quietLog, now);
  expect(await left()).toEqual(whole("published-10"));
  expect(await lake.bytes(lakeKeys.hop("published", "publish"))).toBeDefined();
});

test("a run that was not published stays for a day after it wrote last, for whoever clears its tasks", async () => {
  await putRun("refused", 23);
  await reported("refused", 22, false);
  await putRun("failed", 25);
  await putAt("silver/gold-just-begun/try1/movie/part-0.parquet", 30);
  await putAt("gold/gold-just-begun/try1/dim_movie/part-0.parquet", 0);
  await sweepLake(lake, new Set(), quietLog, now);
  expect(await left()).toEqual(whole("refused", "gold-just-begun"));
});

test("a run that writes again after it was published is under way", async () => {
  await putRun("again", 1);
  await reported("again", 5, true);
  await sweepLake(lake, new Set(), quietLog, now);
  expect(await left()).toEqual(whole("again"));
});
