import { spawn } from "node:child_process";
import { answers } from "@boxoffice/contracts/answers";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { runInputs } from "@boxoffice/contracts/runInputs";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rootPath } from "../../scripts/boxHome.ts";
import { s3Settings } from "../../scripts/s3Settings.ts";
import type { Variables } from "../../scripts/settings.ts";
import { connectWarehouse } from "../../scripts/warehouseClient.ts";
import { until } from "../../services/loader/test/engines.ts";
import { certifiedAnswers } from "../kit/certifiedAnswers.ts";
import { liveMart } from "../kit/liveMart.ts";
import { box } from "./sharedBox.ts";

const report = z.object({
  sent: z.number(),
  acknowledged: z.number(),
  refused: z.record(z.string(), z.number()),
  visible: z.number(),
  missing: z.number(),
  doubled: z.number(),
  visible_ms: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
});

let client: Variables;
let warehouse: pg.Client;

const mart = () => liveMart(warehouse);

/** Posts ratings for some seconds, does something to the box when the first hundred were seen, answers the report. */
async function live(seed: number, seconds: number, meanwhile: () => Promise<void>) {
  const { live: before } = await mart();
  const args = ["live", "--rate", "40", "--seconds", String(seconds), "--seed", String(seed), "--json"];
  const child = spawn(rootPath("box"), args, { env: box.environment, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  await until("a hundred live ratings are in the mart", async () => (await mart()).live >= before + 100, 120);
  await meanwhile();
  await ended;
  return report.parse(JSON.parse(said));
}

const post = (rating: object) =>
  fetch(`${client.INGEST_URL}/ratings`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(rating),
  });

describe("live ratings", () => {
  beforeAll(async () => {
    client = await box.client();
    warehouse = await connectWarehouse({ environment: client });
  });
  afterAll(() => warehouse?.end());

  it("are all seen once, though the loader is killed and started again", async () => {
    const before = await mart();
    const told = await live(1, 25, async () => {
      await box.kill("loader");
      await box.command("up", "--services", "loader");
    });
    expect(told).toMatchObject({
      sent: 1_000,
      acknowledged: 1_000,
      refused: {},
      visible: 1_000,
      missing: 0,
      doubled: 0,
    });
    // Else it was not killed while ratings came.
    expect(told.visible_ms.max).toBeGreaterThan(1_000);
    expect(await mart()).toMatchObject({ ratings: before.ratings + 1_000, live: before.live + 1_000 });
  });

  it("are refused while Kafka is away, and every one that was acknowledged is seen", async () => {
    const told = await live(2, 30, async () => {
      await box.kill("kafka");
      const refused = await post({ user_id: 1, movie_id: 1, rating: 3 });
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      await box.command("up", "--services", "kafka");
    });
    expect(Object.keys(told.refused)).toEqual(["503"]);
    expect(told.acknowledged).toBeGreaterThan(100);
    expect(told).toMatchObject({ visible: told.acknowledged, missing: 0, doubled: 0 });
    const isTaken = async () => (await post({ user_id: 1, movie_id: 1, rating: 3 })).status === 202;
    await until("a rating is taken again", isTaken, 120);
  });

  it("are absorbed by the next run: the mart shows the same, no longer live, and the sums agree", async () => {
    // The one posted last may be on its way.
    await until("it is in the warehouse", async () => {
      const found = await warehouse.query("select from live.ratings where user_id = 1 and movie_id = 1");
      return found.rowCount === 1;
    });
    const before = await mart();
    await box.command("run", "--allow-older");
    expect(await mart()).toEqual({ ...before, live: 0 });

    const { run_id, counts } = answers.parse(JSON.parse(await box.command("answers", "--json")));
    const { counts: bulk } = answers.parse({ ...JSON.parse(certifiedAnswers()), run_id });
    const lake = new ObjectStore(s3Settings(client));
    const inputs = await lake.json(lakeKeys.hop(run_id, "inputs"), runInputs);
    lake.close();
    const read = inputs?.live.bronze ?? 0;
    expect(read).toBeGreaterThanOrEqual(before.live);
    expect(counts.ratings).toMatchObject({
      source_rows: bulk.ratings.source_rows + read,
      bronze: bulk.ratings.bronze + read,
      dead_letters: 0,
    });
    const { silver, dropped } = counts.ratings;
    expect(silver + Object.values(dropped).reduce((sum, rows) => sum + rows, 0)).toBe(counts.ratings.bronze);
    const { rows } = await warehouse.query("select sum(ratings)::int as ratings from marts.agg_movie_rating");
    expect(rows).toEqual([{ ratings: before.ratings }]);
    expect({ ...counts, ratings: undefined }).toEqual({ ...bulk, ratings: undefined });
  });
});
