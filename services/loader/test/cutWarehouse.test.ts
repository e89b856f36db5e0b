import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Random32 } from "../../../scripts/random32.ts";
import type { TcpProxy } from "../../../test/kit/tcpProxy.ts";
import { migrate } from "../src/migrations.ts";
import { countRows, dropPartition, type Partition, partitionOf, partitionState } from "../src/partitions.ts";
import { loadVersion } from "../src/version.ts";
import { inTransaction } from "../src/warehouse.ts";
import { cuttablePool, migrationsDirectory, newDatabase, newLake, quietLog, uniqueName } from "./engines.ts";
import { type GoldRows, putGold, smallGold } from "./goldTables.ts";

const seed = Number(process.env.FAULT_SEED ?? 20261124);
const random = new Random32(seed);
const gold: GoldRows = { ...smallGold, dim_movie: 20_000 };
const job = () => ({ signal: new AbortController().signal, progress: () => {} });
let lake: ObjectStore;
let pool: pg.Pool;
let drop: () => Promise<void>;
let proxy: TcpProxy;
/** The same database by way of the proxy. */
let cuttable: pg.Pool;
let close: () => Promise<void>;

beforeAll(async () => {
  lake = await newLake();
  ({ pool, drop } = await newDatabase());
  await migrate(pool, migrationsDirectory, quietLog);
  ({ proxy, pool: cuttable, close } = await cuttablePool(pool));
});
afterAll(async () => {
  await close?.();
  await drop?.();
  lake?.close();
});

/** Rows of a partition that readers of its table could see, or undefined when there is none. */
async function attachedRows(partition: Partition): Promise<number | undefined> {
  const state = await partitionState(pool, partition);
  return state?.attached ? countRows(pool, partition) : undefined;
}

test(`a connection that is lost anywhere while a version is loaded leaves each table whole or absent (FAULT_SEED=${seed})`, async () => {
  const whole = uniqueName("run");
  await putGold(lake, whole, gold);
  proxy.cutOnce(undefined);
  await loadVersion(lake, cuttable, whole, job());
  const bytes = proxy.sent;
  expect(bytes).toBeGreaterThan(1 << 20);

  const run = uniqueName("run");
  await putGold(lake, run, gold);
  const wanted = 8;
  let failed = 0;
  for (let cut = 0; cut < wanted; cut += 1) {
    proxy.cutOnce({ after: "bytes", bytes: 1 + random.below(Math.floor(bytes / 2)) });
    const result = await loadVersion(lake, cuttable, run, job()).catch((thrown: unknown) => {
      failed += 1;
      expect(ServiceError.from(thrown)).toMatchObject({ retryable: true });
      return undefined;
    });
    if (result) expect(result.tables).toEqual(gold);
    for (const [table, rows] of Object.entries(gold)) {
      expect([undefined, rows], `${table} after cut ${cut}`).toContain(await attachedRows(partitionOf(table, run)));
    }
    if (result) await dropPartition(pool, partitionOf("dim_movie", run));
  }
  expect(failed).toBeGreaterThan(wanted / 2);
  proxy.cutOnce(undefined);
  expect((await loadVersion(lake, cuttable, run, job())).tables).toEqual(gold);
  for (const [table, rows] of Object.entries(gold)) {
    expect(await attachedRows(partitionOf(table, run)), table).toBe(rows);
  }
}, 120_000);

test.each([
  ["before it is asked to commit", { after: "question", text: "commit" }],
  ["when it has committed and its answer is lost", { after: "answer", text: "commit" }],
] as const)(
  "a warehouse that is lost %s: the table is whole or absent, and the same again is whole",
  async (_when, cut) => {
    const run = uniqueName("run");
    await putGold(lake, run, gold);
    const cuts = proxy.cuts;
    proxy.cutOnce(cut);
    await expect(loadVersion(lake, cuttable, run, job())).rejects.toThrow();
    expect(proxy.cuts).toBe(cuts + 1);
    for (const [table, rows] of Object.entries(gold)) {
      expect([rows, undefined], table).toContain(await attachedRows(partitionOf(table, run)));
    }
    expect((await loadVersion(lake, cuttable, run, job())).tables).toEqual(gold);
  },
);

test("what a transaction did is undone when its connection is lost, and its pool goes on", async () => {
  await pool.query("create table held (n int)");
  proxy.cutOnce({ after: "question", text: "commit" });
  const cutOff = inTransaction(cuttable, (client) => client.query("insert into held values (1)"));
  await expect(cutOff).rejects.toThrow("Connection terminated unexpectedly");
  expect((await cuttable.query("select count(*)::int as n from held")).rows).toEqual([{ n: 0 }]);
});
