import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bronze } from "../src/bronze.ts";
import { migrate } from "../src/migrations.ts";
import { countRows, partitionOf, partitionState } from "../src/partitions.ts";
import { sealLoad } from "../src/seal.ts";
import { loadVersion } from "../src/version.ts";
import { migrationsDirectory, newDatabase, newLake, quietLog, rowsSeen, uniqueName } from "./engines.ts";
import { putGold, smallGold } from "./goldTables.ts";
import { makeLoad, putBronze, putManifest } from "./loads.ts";

let lake: ObjectStore;
let pool: pg.Pool;
let drop: () => Promise<void>;
const job = () => ({ signal: new AbortController().signal, progress: () => {} });

beforeAll(async () => {
  lake = await newLake();
  ({ pool, drop } = await newDatabase());
  await migrate(pool, migrationsDirectory, quietLog);
});
afterAll(async () => {
  await drop();
  lake.close();
});

test("two loaders that seal one load at once, as after a rebalance of its task, agree on one seal", async () => {
  const load = makeLoad("links", uniqueName("at-once"), [2, 2], [1]);
  await putManifest(lake, load);
  await putBronze(lake, load);
  const parts = {
    ...{ lake, bronze: new Bronze(lake, quietLog), consumerFault: () => undefined },
    ...{ hasUnread: async () => false, idleMilliseconds: 1_000 },
  };
  const request = { run_id: "run", dataset: load.dataset, load_id: load.load_id };
  const seals = await Promise.all([1, 2, 3].map(() => sealLoad(parts, request, job())));
  expect(new Set(seals.map(({ sealed_at }) => sealed_at)).size).toBe(1);
  expect(seals[0]).toMatchObject({ rows: 4, dead_letters: 1 });
});

test("two loaders that load one version at once: each ends whole or says that the same again may help, and it is whole", async () => {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const run = uniqueName("run");
    await putGold(lake, run);
    const ended = await Promise.allSettled([1, 2].map(() => loadVersion(lake, pool, run, job())));
    for (const result of ended) {
      if (result.status === "fulfilled") expect(result.value.tables).toEqual(smallGold);
      else expect(ServiceError.from(result.reason)).toMatchObject({ retryable: true });
    }
    expect((await loadVersion(lake, pool, run, job())).tables).toEqual(smallGold);
    for (const [table, rows] of Object.entries(smallGold)) {
      expect(await partitionState(pool, partitionOf(table, run))).toMatchObject({ attached: true });
      expect(await countRows(pool, partitionOf(table, run)), table).toBe(rows);
      expect(await rowsSeen(pool, table, run), table).toBe(rows);
    }
  }
});
