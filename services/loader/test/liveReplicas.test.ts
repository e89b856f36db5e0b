import type { LiveInput } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type pg from "pg";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TcpProxy } from "../../../test/kit/tcpProxy.ts";
import { LiveConsumer } from "../src/liveConsumer.ts";
import { fixLiveInput, type LiveInputParts } from "../src/liveInput.ts";
import { cuttablePool, newDatabase, quietLog, uniqueName, until } from "./engines.ts";
import { LiveStores, many, ratingsInBronze } from "./liveRatings.ts";

/** A loader as far as live ratings go, with connections of its own. */
interface Replica {
  consumer: LiveConsumer;
  pool: pg.Pool;
  /** Before the warehouse. */
  proxy: TcpProxy;
  close: () => Promise<void>;
}

const stores = new LiveStores();
const { topics } = stores;
let pool: pg.Pool;
let lake: ObjectStore;
let topic = "";
let group = "";
const running = new Set<Replica>();

beforeEach(() => {
  ({ pool, lake, topic } = stores);
  group = uniqueName("group");
});

afterEach(async () => {
  await Promise.all([...running].map(stop));
});

async function start(): Promise<Replica> {
  const { pool: own, proxy, close } = await cuttablePool(pool);
  const consumer = new LiveConsumer({
    ...{ kafka: topics.kafka, groupId: group, lake, pool: own, log: quietLog, topic },
    objectMilliseconds: 600_000,
    onOffsetOutOfRange: "stop",
  });
  const replica = { consumer, pool: own, proxy, close };
  running.add(replica);
  await consumer.start();
  return replica;
}

async function stop(replica: Replica): Promise<void> {
  running.delete(replica);
  await replica.consumer.stop();
  await replica.close();
}

/** Starts three, of which each has a partition, as there are four. */
async function startThree(): Promise<[Replica, Replica, Replica]> {
  const replicas: [Replica, Replica, Replica] = await Promise.all([start(), start(), start()]);
  await until("three loaders share the partitions", async () => {
    const [described] = (await topics.admin.describeGroups([group])).groups;
    const areJoined = replicas.every(({ consumer }) => consumer.isJoined);
    return areJoined && described?.state === "Stable" && described.members.length === 3;
  });
  await until("all hear requests", async () => (await listening()).length === 3);
  return replicas;
}

/** The connections of loaders that hear requests. */
async function listening(): Promise<number[]> {
  const { rows } = await pool.query<{ pid: number }>(
    "select pid from pg_stat_activity where datname = current_database() and query like 'listen %' and state = 'idle'",
  );
  return rows.map(({ pid }) => pid);
}

const partsOf = ({ consumer, pool: own }: Replica): LiveInputParts => ({
  ...{ lake, kafka: topics.kafka, pool: own, topic, log: quietLog },
  flush: (ends) => consumer.flush(ends),
});

/** A run's live ratings by way of one loader. None is old enough to be written without being asked for. */
const fixed = (replica: Replica, known?: LiveInput): Promise<LiveInput> => fixLiveInput(partsOf(replica), known);

async function inWarehouse(): Promise<number> {
  const { rows } = await pool.query<{ n: number }>("select count(*)::int as n from live.ratings");
  return rows[0]?.n ?? 0;
}

test("a run has every rating that was acknowledged before it asked, whichever of three loaders reads it", async () => {
  const replicas = await startThree();
  const ratings = many(1_000);
  let known: LiveInput | undefined;
  for (let from = 0; from < ratings.length; from += 100) {
    await topics.produce(topic, ratings.slice(from, from + 100));
    const asked = replicas[(from / 100) % 3] ?? replicas[0];
    const input = await fixed(asked, known);
    expect(input).toMatchObject({ bronze: from + 100, source_rows: from + 100, dead_letters: 0 });
    known = input;
  }
  expect(await ratingsInBronze(lake)).toEqual(ratings);
  expect(await fixed(replicas[0], known)).toEqual(known);
  const isCommitted = async () => (await topics.committed(group, topic)).join() === known?.offsets.join();
  await until("it is committed", isCommitted);
});

test("ratings that only the warehouse has are of the run that asks, and no loader writes again what bronze has", async () => {
  const [first, second] = await startThree();
  await topics.produce(topic, many(200));
  await until("all are in the warehouse", async () => (await inWarehouse()) === 200);
  expect(await ratingsInBronze(lake)).toEqual([]);
  const input = await fixed(first);
  expect(input.bronze).toBe(200);
  await topics.produce(topic, many(200, 1_001));
  await until("these are in the warehouse", async () => (await inWarehouse()) === 400);
  await second.consumer.flush(input.offsets);
  expect(await ratingsInBronze(lake)).toHaveLength(200);
});

test("loaders whose connections are lost as they are asked hear it on the next", async () => {
  const [first] = await startThree();
  await topics.produce(topic, many(200));
  await until("all are in the warehouse", async () => (await inWarehouse()) === 200);
  const heard = await listening();
  await pool.query("select pg_terminate_backend(pid) from unnest($1::int[]) as heard (pid)", [heard]);
  const input = await fixed(first);
  expect(input.bronze).toBe(200);
  expect(await listening()).toEqual(expect.not.arrayContaining(heard));
});

test("a loader whose connections pass nothing on, though none was closed, hears it on the next", async () => {
  const [first, second, third] = await startThree();
  await topics.produce(topic, many(200));
  await until("all are in the warehouse", async () => (await inWarehouse()) === 200);
  const resume = [second, third].map(({ proxy }) => proxy.stall());
  const input = await fixed(first);
  for (const goOn of resume) goOn();
  expect(input.bronze).toBe(200);
});

test.each([
  ["joins", () => start().then(() => {})],
  ["leaves", async ([, , third]: Replica[]) => third && stop(third)],
])("a run has every rating, and each once, though a loader %s while it waits", async (_what, change) => {
  const replicas = await startThree();
  const ratings = many(500);
  await topics.produce(topic, ratings);
  const [input] = await Promise.all([fixed(replicas[0]), change(replicas)]);
  expect(input).toMatchObject({ bronze: 500, source_rows: 500 });
  expect(await ratingsInBronze(lake)).toEqual(ratings);
});

test("ratings of loaders that do not hear of the run are left to the next one, and said to be", async () => {
  const [first] = await startThree();
  await topics.produce(topic, many(200));
  await until("all are in the warehouse", async () => (await inWarehouse()) === 200);
  const { pool: elsewhere, drop: dropElsewhere } = await newDatabase();
  const said: unknown[] = [];
  const log = pino({ level: "warn" }, { write: (text: string) => said.push(JSON.parse(text).msg) });
  const parts = { ...partsOf(first), pool: elsewhere, log, patienceMilliseconds: 1_000 };
  const left = await fixLiveInput(parts, undefined);
  await dropElsewhere();
  expect(left.bronze).toBeLessThan(200);
  expect(said).toEqual(["live ratings of other loaders are left to the next run"]);
  const input = await fixed(first, left);
  expect(input.bronze).toBe(200);
});
