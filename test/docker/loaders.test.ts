import { answers } from "@boxoffice/contracts/answers";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { runInputs } from "@boxoffice/contracts/runInputs";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import type pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { driveLive } from "../../scripts/live/drive.ts";
import { s3Settings } from "../../scripts/s3Settings.ts";
import type { Variables } from "../../scripts/settings.ts";
import { connectWarehouse } from "../../scripts/warehouseClient.ts";
import { liveMart } from "../kit/liveMart.ts";
import { box, docker } from "./composeBox.ts";
import { LiveLoaders } from "./liveLoaders.ts";

const patience = { timeout: 60_000, interval: 500 };
let environment: Variables;
let warehouse: pg.Client;
let loaders: LiveLoaders;
let posted: object[] = [];

beforeAll(async () => {
  // The test before may have left it with Celery and other secrets.
  await box.composed("up", "--detach", "--wait");
  environment = await box.client();
  warehouse = await connectWarehouse({ environment });
  loaders = await LiveLoaders.open(environment);
});
afterAll(async () => {
  await loaders?.close();
  await warehouse?.end();
});

/** The ratings that the warehouse has from these offsets of their partitions on. */
async function ratingsFrom(offsets: readonly number[]) {
  const { rows } = await warehouse.query<{ user_id: number; movie_id: number; rating: string; partition: number }>(
    `select user_id, movie_id, rating, kafka_partition as partition
     from live.ratings
     where kafka_offset >= ($1::bigint[])[kafka_partition + 1]
     order by user_id, movie_id`,
    [offsets],
  );
  return rows;
}

/** Resolves when the warehouse has some of every partition. */
async function seenOnEachFrom(offsets: readonly number[]): Promise<void> {
  const seen = async () => new Set((await ratingsFrom(offsets)).map(({ partition }) => partition));
  await expect.poll(seen, patience).toEqual(new Set(offsets.keys()));
}

/** Kills a loader when its ratings are seen, and resolves when those are that came after the others had taken over. */
async function kill(container: string, begin: readonly number[]): Promise<void> {
  await seenOnEachFrom(begin);
  await docker("kill", "--signal", "KILL", container);
  await expect.poll(() => loaders.sharing(), patience).toBe(2);
  await seenOnEachFrom(await loaders.ends());
}

it("three loaders, of which one is killed while ratings come, bring each that was acknowledged into the mart once", async () => {
  const further = await loaders.startFurther();
  await loaders.startFurther();
  await expect.poll(() => loaders.sharing(), patience).toBe(3);
  const [before, begin] = [await liveMart(warehouse), await loaders.ends()];
  const enough = new AbortController();
  const options = { rate: 40, seconds: 180, batch: 1, seed: 1, signal: enough.signal };
  const [told] = await Promise.all([
    driveLive({ environment }, options),
    kill(further, begin).finally(() => enough.abort()),
  ]);
  const { sent } = told;
  expect(told).toMatchObject({ acknowledged: sent, refused: {}, visible: sent, missing: 0, doubled: 0 });
  const { ratings, live } = await liveMart(warehouse);
  expect({ ratings, live }).toEqual({ ratings: before.ratings + sent, live: before.live + sent });
  posted = await ratingsFrom(begin);
  expect(posted).toHaveLength(sent);
});

it("the next run takes in each of them once", async () => {
  const [before, ends] = [await liveMart(warehouse), await loaders.ends()];
  await box.command("run");
  expect(await liveMart(warehouse)).toEqual({ ...before, live: 0 });
  const { rows } = await warehouse.query(
    `select user_id, movie_id, facts.rating, partition
     from json_to_recordset($1) as posted (user_id int, movie_id int, partition int)
     inner join marts.fact_rating as facts using (user_id, movie_id)
     order by user_id, movie_id`,
    [JSON.stringify(posted)],
  );
  expect(rows).toEqual(posted);
  const { run_id } = answers.parse(JSON.parse(await box.command("answers", "--json")));
  const lake = new ObjectStore(s3Settings(environment));
  const inputs = await lake.json(lakeKeys.hop(run_id, "inputs"), runInputs);
  lake.close();
  const onTopic = ends.reduce((sum, end) => sum + end, 0);
  expect(inputs?.live).toMatchObject({ offsets: ends, source_rows: onTopic, bronze: onTopic, dead_letters: 0 });
});
