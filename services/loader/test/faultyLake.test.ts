import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type { Kafka } from "kafkajs";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FaultyStore, noFaults } from "../../../test/kit/faultyStore.ts";
import { Bronze } from "../src/bronze.ts";
import { SliceConsumer } from "../src/consume.ts";
import { countDeadLetters } from "../src/deadLetters.ts";
import { migrate } from "../src/migrations.ts";
import { countRows, partitionOf } from "../src/partitions.ts";
import { sealLoad } from "../src/seal.ts";
import { loadVersion } from "../src/version.ts";
import {
  addresses,
  lakeOf,
  migrationsDirectory,
  newDatabase,
  newKafka,
  newLake,
  quietLog,
  uniqueName,
  until,
} from "./engines.ts";
import { putGold, smallGold } from "./goldTables.ts";
import { deleteTopics, groupKeys, makeLoad, makeTopics, produce, putManifest, rowNumbers } from "./loads.ts";

const seed = Number(process.env.FAULT_SEED ?? 20261124);
const topicPrefix = `${uniqueName("faulty")}-`;
const job = () => ({ signal: new AbortController().signal, progress: () => {} });
let proxy: FaultyStore;
let lake: ObjectStore;
/** The same lake by way of the proxy. */
let faulty: ObjectStore;
let kafka: Kafka;
let pool: pg.Pool;
let drop: () => Promise<void>;

beforeAll(async () => {
  const bucket = uniqueName("lake");
  lake = await newLake(bucket);
  proxy = await FaultyStore.before(addresses.s3, seed);
  faulty = lakeOf(bucket, proxy.endpoint);
  kafka = newKafka();
  await makeTopics(kafka, topicPrefix);
  ({ pool, drop } = await newDatabase());
  await migrate(pool, migrationsDirectory, quietLog);
});
beforeEach(() => {
  proxy.faults = noFaults;
  proxy.failed = 0;
});
afterAll(async () => {
  await drop?.();
  await deleteTopics(kafka, topicPrefix);
  faulty?.close();
  lake?.close();
  await proxy?.close();
});

/** Tries until it succeeds; whatever fails must say that the same again may help. */
async function inTries<T>(work: () => Promise<T>, most = 30): Promise<T> {
  const failures: string[] = [];
  while (failures.length < most) {
    try {
      return await work();
    } catch (thrown) {
      const error = ServiceError.from(thrown);
      expect(error.retryable, error.message).toBe(true);
      failures.push(error.message);
    }
  }
  throw new Error(`failed ${most} times: ${failures.join("\n")}`);
}

test(`a lake that takes nothing for a while, then is slow and fails every second time: bronze and the seal have each row once (FAULT_SEED=${seed})`, async () => {
  const rows = Array.from({ length: 60 }, () => 50);
  const load = makeLoad("ratings", uniqueName("faulty"), rows, [1, 0, 2]);
  await putManifest(lake, load);
  const bronze = new Bronze(faulty, quietLog);
  const consumer = new SliceConsumer({
    kafka,
    groupId: uniqueName("faulty"),
    topicPrefix,
    bronze,
    log: quietLog,
    abandonedAfterMilliseconds: 600_000,
    onOffsetOutOfRange: "stop",
  });
  await consumer.start();
  try {
    proxy.faults = { ...noFaults, refused: 1000, method: "PUT" };
    await produce(kafka, load, load.slices, { topicPrefix });
    await until("it has failed for a while", () => proxy.failed > 10);
    expect(await groupKeys(lake, load)).toEqual([]);
    proxy.faults = { refused: 250, lost: 250, milliseconds: 20 };
    const parts = {
      lake: faulty,
      bronze,
      consumerFault: () => consumer.fault,
      hasUnread: async () => true,
      idleMilliseconds: 20_000,
    };
    const request = { run_id: "run", dataset: load.dataset, load_id: load.load_id };
    const done = await inTries(() => sealLoad(parts, request, job()));
    expect(done).toMatchObject({ rows: 3000, dead_letters: 3 });
    expect(proxy.failed).toBeGreaterThan(5);
    expect(await groupKeys(lake, load)).toHaveLength(load.manifest.group_rows.length);
    const numbers = (await rowNumbers(lake, load)).sort((a, b) => a - b);
    expect(numbers).toHaveLength(3000);
    expect(new Set(numbers).size).toBe(3000);
    expect(await countDeadLetters(lake, load.dataset, load.load_id)).toBe(3);
    proxy.faults = noFaults;
    expect(await sealLoad(parts, request, job())).toMatchObject({ sealed_at: done.sealed_at, was_sealed: true });
  } finally {
    proxy.faults = noFaults;
    await consumer.stop();
  }
}, 120_000);

test("a lake that is slow and fails every second time: a version is loaded whole, or not and then again whole", async () => {
  const run = uniqueName("run");
  await putGold(lake, run);
  proxy.faults = { refused: 200, lost: 200, milliseconds: 20 };
  const done = await inTries(() => loadVersion(faulty, pool, run, job()));
  expect(done.tables).toEqual(smallGold);
  expect(proxy.failed).toBeGreaterThan(5);
  for (const [table, rows] of Object.entries(smallGold)) {
    expect(await countRows(pool, partitionOf(table, run)), table).toBe(rows);
  }
}, 120_000);
