import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultyStore, noFaults } from "../../../test/kit/faultyStore.ts";
import { Bronze } from "../src/bronze.ts";
import { SliceConsumer } from "../src/consume.ts";
import { countDeadLetters } from "../src/deadLetters.ts";
import { countLive } from "../src/liveBronze.ts";
import { LiveConsumer } from "../src/liveConsumer.ts";
import { sealLoad } from "../src/seal.ts";
import { addresses, lakeOf, newLake, uniqueName, until } from "./engines.ts";
import { LiveStores, many, ratingsInBronze } from "./liveRatings.ts";
import { deleteTopics, groupKeys, makeLoad, makeTopics, produce, putManifest, rowNumbers } from "./loads.ts";

/** The shortest that brokers allow. */
const sessionMilliseconds = 6_000;
const slow = { ...noFaults, milliseconds: 8_000, leastMilliseconds: 7_500, method: "PUT" } as const;
const stores = new LiveStores();
const { kafka, producer } = stores.topics;
let lake: ObjectStore;
let proxy: FaultyStore;
/** The same lake, which takes longer for each object than a loader may be silent. */
let slowLake: ObjectStore;
let logged: { msg: string; created?: boolean }[];
const log = pino({ level: "info" }, { write: (line: string) => logged.push(JSON.parse(line)) });

beforeEach(async () => {
  const bucket = uniqueName("lake");
  lake = await newLake(bucket);
  proxy = await FaultyStore.before(addresses.s3, 1);
  proxy.faults = slow;
  slowLake = lakeOf(bucket, proxy.endpoint);
  logged = [];
});
afterEach(async () => {
  slowLake.close();
  lake.close();
  await proxy.close();
});

/** The messages of a kind, of objects each as the lake had it already or not. */
const createdOf = (message: string) => logged.filter(({ msg }) => msg === message).map(({ created }) => created);
const timesAssigned = () => logged.filter(({ msg }) => msg === "assigned").length;

test("a lake that takes longer for each object than a loader may be silent has each once, and the loader stays in its group", async () => {
  const topicPrefix = `${uniqueName("slow")}-`;
  await makeTopics(kafka, topicPrefix);
  const load = makeLoad(
    "ratings",
    uniqueName("slow"),
    Array.from({ length: 40 }, () => 20),
    [1, 0, 2, 1],
  );
  await putManifest(lake, load);
  const bronze = new Bronze(slowLake, log);
  const consumer = new SliceConsumer({
    kafka,
    groupId: uniqueName("slow"),
    topicPrefix,
    bronze,
    log,
    abandonedAfterMilliseconds: 600_000,
    sessionMilliseconds,
    onOffsetOutOfRange: "stop",
  });
  await consumer.start();
  try {
    await until("the consumer has joined", () => consumer.isJoined);
    await produce(kafka, load, load.slices, { topicPrefix });
    const parts = { lake, bronze, consumerFault: () => consumer.fault, hasUnread: async () => true };
    const request = { run_id: "run", dataset: load.dataset, load_id: load.load_id };
    const job = { signal: AbortSignal.timeout(90_000), progress: () => {} };
    const done = await sealLoad({ ...parts, idleMilliseconds: 60_000 }, request, job);
    expect(done).toMatchObject({ rows: 800, dead_letters: 4 });
  } finally {
    await consumer.stop();
    await deleteTopics(kafka, topicPrefix);
  }
  expect(timesAssigned()).toBe(1);
  expect(createdOf("group in bronze")).toEqual([true, true, true]);
  expect(createdOf("dead letters in the lake")).toEqual([true, true, true]);
  expect(await groupKeys(lake, load)).toHaveLength(3);
  expect(new Set(await rowNumbers(lake, load)).size).toBe(800);
  expect(await countDeadLetters(lake, load.dataset, load.load_id)).toBe(4);
}, 150_000);

test("live ratings, and what is none among them, reach such a lake once, and the loader stays in its group", async () => {
  const { topic, pool } = stores;
  const messages = Array.from({ length: 3 }, (_none, at) => ({ partition: 0, value: `no rating ${at}` }));
  await producer.send({ topic, messages, acks: -1 });
  const consumer = new LiveConsumer({
    kafka,
    groupId: uniqueName("slow"),
    lake: slowLake,
    pool,
    log,
    objectMilliseconds: 500,
    onOffsetOutOfRange: "stop",
    topic,
  });
  await consumer.start();
  try {
    await stores.topics.produce(topic, many(200));
    const inBronze = () => ratingsInBronze(lake);
    await until("bronze has all ratings", async () => (await inBronze()).length === 200, 100);
    expect(await inBronze()).toEqual(many(200));
    expect(await countLive(lake)).toMatchObject({ bronze: 200, dead_letters: 3 });
  } finally {
    await consumer.stop();
  }
  expect(timesAssigned()).toBe(1);
}, 150_000);
