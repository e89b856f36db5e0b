import { randomUUID } from "node:crypto";
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "@boxoffice/contracts/job";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { uniqueName, until } from "../../services/loader/test/engines.ts";
import { many, ratingsInBronze } from "../../services/loader/test/liveRatings.ts";
import { groupKeys, rowNumbers } from "../../services/loader/test/loads.ts";
import { emptyKafka } from "../kit/emptyKafka.ts";
import { box, folderOf, Stores } from "./stores.ts";

const stores = new Stores();
beforeEach(() => stores.start());
afterEach(() => stores.endServices());
afterAll(() => stores.close());

const rows = 20_000;

function edition(): string {
  const directory = stores.directory();
  const text = Array.from({ length: rows }, (_none, at) => `${at + 1},${randomUUID()},${at + 1}\n`);
  writeFileSync(join(directory, "links.csv"), `movieId,imdbId,tmdbId\n${text.join("")}`);
  return directory;
}

/** What a load is called, from the result of its job. */
const nameOf = ({ result }: Job) => ({ dataset: "links", load_id: String(result?.load_id) }) as const;

async function expectEachRowOnce(load: ReturnType<typeof nameOf>): Promise<void> {
  expect(await groupKeys(stores.lake, load)).toHaveLength(1);
  const numbers = await rowNumbers(stores.lake, load);
  expect(numbers).toHaveLength(rows);
  expect(new Set(numbers).size).toBe(rows);
}

test("Kafka that is emptied loses nothing: what is missing is said, the same load again brings it back, and services go on", async () => {
  const ingest = await stores.service("ingest");
  const loader = await stores.service("loader");
  const sealed = { run_id: "sealed", dataset: "links", edition: edition() } as const;
  const first = nameOf(await ingest.ended("/loads", sealed));
  expect(await loader.ended("/seals", { run_id: "sealed", ...first })).toMatchObject({ state: "done" });

  await loader.end();
  const unread = { run_id: "unread", dataset: "links", edition: edition() } as const;
  const published = await ingest.ended("/loads", unread);
  const second = nameOf(published);
  await emptyKafka(box);
  // The retry has only what landed.
  rmSync(unread.edition, { recursive: true });
  const successor = await stores.service("loader");
  const sealing = { run_id: "unread", ...second };
  const missing = await successor.ended("/seals", sealing);
  expect(missing.error).toMatchObject({ code: "slices_gone", retryable: true });
  expect(missing.error?.message).toMatch(
    /of links is not complete in bronze, and Kafka has nothing more of it: missing are group 0 .*Run again/,
  );
  expect(await ingest.ended("/loads", unread)).toMatchObject({ state: "done", result: published.result ?? {} });
  expect(ingest.output).toContain("what landed is published again");
  expect(await successor.ended("/seals", sealing)).toMatchObject({ state: "done", result: { rows } });

  // Now under a loader and an ingest that knew the topics as they were.
  await emptyKafka(box);
  const third = await ingest.ended("/loads", { run_id: "new", dataset: "links", edition: edition() });
  expect(third).toMatchObject({ state: "done" });
  // Whoever is the first to find that they are gone.
  const said = /Kafka was emptied while (?:this service|the loader) ran/;
  await until("it is said", () => said.test(ingest.output + successor.output));
  expect(await successor.ended("/seals", { run_id: "new", ...nameOf(third) })).toMatchObject({ state: "done" });
  expect(await ingest.ended("/loads", { ...sealed, run_id: "again" })).toMatchObject({ result: { already: true } });
  for (const load of [first, second, nameOf(third)]) await expectEachRowOnce(load);
});

test("of live ratings those before are in bronze and so are those after, though the loader was killed over them", async () => {
  const bucket = uniqueName("lake");
  const lake = await stores.newLake(bucket);
  const settings = { S3_BUCKET: bucket, CONSUMER_GROUP: uniqueName("loader") };
  const warehouse = await stores.warehouse();
  const areInWarehouse = (count: number) => async () => {
    const { rows } = await warehouse.query<{ n: number }>("select count(*)::int as n from live.ratings");
    return rows[0]?.n === count;
  };
  const [before, after] = [many(300), many(900, 301)];
  try {
    const loader = await stores.service("loader", { ...settings, LIVE_OBJECT_SECONDS: "600" });
    await warehouse.query("truncate live.ratings");
    const ingest = await stores.service("ingest");
    expect(await ingest.call("/ratings", before)).toMatchObject({ status: 202 });
    await until("the warehouse alone has them", areInWarehouse(before.length));
    await loader.end("SIGKILL");
    await emptyKafka(box);

    // More than there were: their offsets reach beyond those of before.
    await until("they are taken", async () => (await ingest.call("/ratings", after)).status === 202);
    await stores.service("loader", { ...settings, LIVE_OBJECT_SECONDS: "1" });
    await until("the warehouse has all", areInWarehouse(before.length + after.length));
    const all = [...before, ...after];
    // What was refused may have been taken all the same, and was posted again.
    const inBronze = async () => new Map((await ratingsInBronze(lake)).map((found) => [found.user_id, found]));
    await until("so has bronze", async () => (await inBronze()).size === all.length);
    expect([...(await inBronze()).values()]).toEqual(all);
  } finally {
    await stores.endServices();
    await stores.clearLive();
    await warehouse.end();
    lake.close();
  }
});

test("a loader that runs on makes the topics anew, and takes from them what comes", async () => {
  const loader = await stores.service("loader");
  await emptyKafka(box);
  await until("it has made them", () => loader.output.includes("its topics are made anew"));
  await loader.untilReady();
  const ingest = await stores.service("ingest");
  const load = nameOf(await ingest.ended("/loads", { run_id: "after", dataset: "links", edition: edition() }));
  expect(await loader.ended("/seals", { run_id: "after", ...load })).toMatchObject({ state: "done" });
  await expectEachRowOnce(load);
});

test("what landed is not published again when the lake's disk has changed it", async () => {
  const ingest = await stores.service("ingest");
  const request = { run_id: "damaged", dataset: "links", edition: edition() } as const;
  const { load_id } = nameOf(await ingest.ended("/loads", request));
  const key = lakeKeys.source("links", load_id, "links.csv");
  const file = openSync(join(folderOf("lake"), "lake", key), "r+");
  writeSync(file, "!", 100);
  closeSync(file);
  const { error } = await ingest.ended("/loads", request);
  expect(error).toMatchObject({ code: "landed_damaged", retryable: false });
  expect(error?.message).toMatch(new RegExp(`expected: s3://lake/${key} with \\d+ bytes.*\n {2}found: {4}Checksum`));
});
