import { groupSlices } from "@boxoffice/contracts/dataset";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Kafka } from "kafkajs";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { Bronze, listGroups } from "../src/bronze.ts";
import { type ConsumeOptions, SliceConsumer } from "../src/consume.ts";
import { deleteConsumed, deleteSealed, offsetsOutOfRange } from "../src/consumerOffsets.ts";
import { sealLoad } from "../src/seal.ts";
import { newKafka, newLake, quietLog, uniqueName, until } from "./engines.ts";
import {
  deleteTopics,
  groupKeys,
  type MadeLoad,
  makeLoad,
  makeTopics,
  produce,
  putManifest,
  rowNumbers,
} from "./loads.ts";

const topicPrefix = `${uniqueName("bronze")}-`;
let kafka: Kafka;
let lake: ObjectStore;
const running = new Set<SliceConsumer>();

beforeAll(async () => {
  kafka = newKafka();
  lake = await newLake();
  await makeTopics(kafka, topicPrefix);
});

afterEach(async () => {
  await Promise.all([...running].map((consumer) => consumer.stop()));
  running.clear();
});

afterAll(async () => {
  await deleteTopics(kafka, topicPrefix);
  lake.close();
});

async function startConsumer(groupId: string, options: Partial<ConsumeOptions> = {}): Promise<SliceConsumer> {
  const consumer = new SliceConsumer({
    kafka,
    groupId,
    topicPrefix,
    bronze: new Bronze(lake, quietLog),
    log: quietLog,
    abandonedAfterMilliseconds: 600_000,
    onOffsetOutOfRange: "stop",
    ...options,
  });
  running.add(consumer);
  await consumer.start();
  await until("the consumer has joined", () => consumer.isJoined);
  return consumer;
}

async function stopConsumer(consumer: SliceConsumer): Promise<void> {
  running.delete(consumer);
  await consumer.stop();
}

const isComplete = async (load: MadeLoad) => (await groupKeys(lake, load)).length === load.manifest.group_rows.length;

/** Committed offsets by partition of the load's topic; -1 where there is none. */
async function committed(groupId: string, load: MadeLoad, prefix = topicPrefix): Promise<number[]> {
  const admin = kafka.admin();
  await admin.connect();
  const [topic] = await admin.fetchOffsets({ groupId, topics: [`${prefix}${load.dataset}`] });
  await admin.disconnect();
  return (topic?.partitions ?? []).sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
}

async function offsetRanges(load: MadeLoad, prefix = topicPrefix): Promise<{ low: number; high: number }[]> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(`${prefix}${load.dataset}`);
  await admin.disconnect();
  return offsets
    .sort((a, b) => a.partition - b.partition)
    .map(({ low, high }) => ({ low: Number(low), high: Number(high) }));
}

const endOffsets = async (load: MadeLoad) => (await offsetRanges(load)).map(({ high }) => high);

const job = { signal: new AbortController().signal, progress: () => {} };
const request = ({ dataset, load_id }: MadeLoad) => ({ run_id: "run", dataset, load_id });

async function expectEachRowOnce(load: MadeLoad): Promise<void> {
  const numbers = await rowNumbers(lake, load);
  const expected: number[] = [];
  let next = 1;
  for (const { rows, deadLetters } of load.slices) {
    for (let at = 0; at < rows; at += 1) expected.push(next + at);
    next += rows + deadLetters.length;
  }
  expect(numbers.length).toBe(expected.length);
  expect(numbers).toEqual(expected);
}

test("a load becomes one object per group, with every row once and in order, also where a group has none", async () => {
  const rows = Array.from({ length: 40 }, (_none, slice) => (slice >= 16 && slice < 32 ? 0 : 3));
  const load = makeLoad("ratings", uniqueName("whole"), rows, [0, 2]);
  await startConsumer(uniqueName("group"));
  await produce(kafka, load, load.slices, { topicPrefix });
  await until("all groups are there", () => isComplete(load));
  expect(await groupKeys(lake, load)).toEqual(
    [48, 0, 24].map((n, group) => lakeKeys.group("ratings", load.load_id, group, n)),
  );
  await expectEachRowOnce(load);
  const letters = lakeKeys.deadLetterSlice("ratings", load.load_id, 1);
  await until("the dead letters are there", async () => (await lake.bytes(letters)) !== undefined);
});

test("every slice again makes no second object and the same rows", async () => {
  const load = makeLoad(
    "links",
    uniqueName("replay"),
    Array.from({ length: 20 }, () => 5),
  );
  const groupId = uniqueName("group");
  await startConsumer(groupId);
  await produce(kafka, load, load.slices, { topicPrefix });
  await until("all groups are there", () => isComplete(load));
  const before = await groupKeys(lake, load);
  await produce(kafka, load, load.slices, { topicPrefix });
  const end = await endOffsets(load);
  await until("the replay is committed", async () =>
    (await committed(groupId, load)).every((offset, partition) => end[partition] === 0 || offset === end[partition]),
  );
  expect(await groupKeys(lake, load)).toEqual(before);
  await expectEachRowOnce(load);
});

test("a loader that was killed before its commit repeats the slices and changes nothing", async () => {
  const load = makeLoad(
    "links",
    uniqueName("killed"),
    Array.from({ length: 33 }, () => 4),
  );
  await startConsumer(uniqueName("killed-group"));
  await produce(kafka, load, load.slices, { topicPrefix });
  await until("all groups are there", () => isComplete(load));
  const before = await groupKeys(lake, load);
  // A group without any commit is what a loader finds that takes over from one killed right after writing.
  const freshGroup = uniqueName("fresh-group");
  await startConsumer(freshGroup);
  const end = await endOffsets(load);
  await until("the fresh loader is at the end", async () =>
    (await committed(freshGroup, load)).every((offset, partition) => end[partition] === 0 || offset === end[partition]),
  );
  expect(await groupKeys(lake, load)).toEqual(before);
  await expectEachRowOnce(load);
});

test("a group that is open when the loader stops is completed by the next one, since its slices are not committed", async () => {
  const load = makeLoad(
    "cpi",
    uniqueName("halves"),
    Array.from({ length: 16 }, () => 2),
  );
  const groupId = uniqueName("group");
  const first = await startConsumer(groupId);
  await produce(kafka, load, load.slices.slice(0, 9), { topicPrefix });
  const other = makeLoad("cpi", uniqueName("marker"), [1]);
  await produce(kafka, other, other.slices, { topicPrefix });
  await until("the loader is past the open group", () => isComplete(other));
  const start = (await endOffsets(load))[0] ?? 0;
  await stopConsumer(first);
  expect((await committed(groupId, load))[0]).toBeLessThanOrEqual(start - 10);
  await startConsumer(groupId);
  await produce(kafka, load, load.slices.slice(9), { topicPrefix });
  await until("the group is there", () => isComplete(load));
  await expectEachRowOnce(load);
});

test("loads that interleave on one partition, with slices repeated, do not mix", async () => {
  const loads = ["a", "b", "c"].map((name) =>
    makeLoad(
      "ratings",
      uniqueName(name),
      Array.from({ length: 16 }, () => 6),
    ),
  );
  await startConsumer(uniqueName("group"));
  for (let slice = 0; slice < 16; slice += 2) {
    for (const load of loads)
      await produce(kafka, load, load.slices.slice(Math.max(0, slice - 1), slice + 2), { topicPrefix });
  }
  for (const load of loads) {
    await until("the group is there", () => isComplete(load));
    await expectEachRowOnce(load);
  }
});

test("a second loader that joins and leaves midway leaves every row once", async () => {
  const load = makeLoad(
    "ratings",
    uniqueName("rebalance"),
    Array.from({ length: 400 }, () => 50),
  );
  const groupId = uniqueName("group");
  await startConsumer(groupId);
  const producing = produce(kafka, load, load.slices, { topicPrefix });
  const second = await startConsumer(groupId);
  await producing;
  await stopConsumer(second);
  await until("all groups are there", () => isComplete(load));
  await expectEachRowOnce(load);
});

test("three loaders share the partitions: each writes some groups, and every row is there once", async () => {
  const load = makeLoad(
    "ratings",
    uniqueName("replicas"),
    Array.from({ length: 400 }, () => 50),
  );
  const groupId = uniqueName("group");
  const wrote = new Map<number, number>();
  for (const replica of [1, 2, 3]) {
    const bronze = new Bronze(lake, quietLog);
    vi.spyOn(bronze, "writeGroup").mockImplementation(async (slices) => {
      await Bronze.prototype.writeGroup.call(bronze, slices);
      wrote.set(replica, (wrote.get(replica) ?? 0) + 1);
    });
    await startConsumer(groupId, { bronze });
  }
  await until("the group is stable", () => [...running].every((consumer) => consumer.isJoined));
  await produce(kafka, load, load.slices, { topicPrefix });
  await until("all groups are there", () => isComplete(load));
  await expectEachRowOnce(load);
  expect([...wrote.keys()].sort()).toEqual([1, 2, 3]);
  expect([...wrote.values()].reduce((sum, groups) => sum + groups)).toBe(load.manifest.group_rows.length);
});

test("an abandoned load's open group does not hold back commits once a newer load goes on long after it", async () => {
  const abandoned = makeLoad(
    "cpi",
    uniqueName("abandoned"),
    Array.from({ length: 16 }, () => 1),
  );
  const newer = makeLoad("cpi", uniqueName("newer"), [3]);
  const groupId = uniqueName("group");
  const now = Date.now();
  await startConsumer(groupId, { abandonedAfterMilliseconds: 600_000 });
  await produce(kafka, abandoned, abandoned.slices.slice(0, 4), { topicPrefix, timestamp: now });
  await produce(kafka, newer, newer.slices, { topicPrefix, timestamp: now + 601_000 });
  const end = (await endOffsets(newer))[0];
  await until("the commit is past the abandoned group", async () => (await committed(groupId, newer))[0] === end);
  await produce(kafka, abandoned, abandoned.slices, { topicPrefix, timestamp: now + 602_000 });
  await until("the load is complete when it is ingested again", () => isComplete(abandoned));
});

test("a slice that is not as its contract says drops its group, fails the seal, and stops nothing else", async () => {
  const load = makeLoad("links", uniqueName("bad"), [3]);
  const other = makeLoad("links", uniqueName("good"), [3]);
  await putManifest(lake, load);
  const bronze = new Bronze(lake, quietLog);
  await startConsumer(uniqueName("group"), { bronze });
  const [slice] = load.slices;
  if (!slice) throw new Error("no slice");
  await produce(kafka, load, [{ ...slice, value: Buffer.from("<html>") }], { topicPrefix });
  await produce(kafka, other, other.slices, { topicPrefix });
  await until("the other load is there", () => isComplete(other));
  const parts = { lake, bronze, consumerFault: () => undefined, hasUnread: async () => true, idleMilliseconds: 1_000 };
  await expect(sealLoad(parts, request(load), job)).rejects.toThrow(
    /slice 0 has the columns ; expected row_number Int32/,
  );
});

test("a group that was written does not hide that another one of its load was dropped", async () => {
  const load = makeLoad(
    "links",
    uniqueName("half"),
    Array.from({ length: groupSlices + 1 }, () => 1),
  );
  await putManifest(lake, load);
  const bronze = new Bronze(lake, quietLog);
  await startConsumer(uniqueName("group"), { bronze });
  const slices = load.slices.map((slice) => (slice.slice === 0 ? { ...slice, value: Buffer.from("<html>") } : slice));
  await produce(kafka, load, slices, { topicPrefix });
  await until("the good group is there", async () => (await listGroups(lake, "links", load.load_id)).length === 1);
  const parts = { lake, bronze, consumerFault: () => undefined, hasUnread: async () => true, idleMilliseconds: 1_000 };
  await expect(sealLoad(parts, request(load), job)).rejects.toMatchObject({ code: "bad_slice" });
  // Nor is Kafka said to have lost what came and could not be written.
  const noneLeft = { ...parts, hasUnread: async () => false, idleMilliseconds: 8_000 };
  await expect(sealLoad(noneLeft, request(load), job)).rejects.toMatchObject({ code: "bad_slice" });
});

test("records are deleted behind what is committed only, and a loader that starts later misses none", async () => {
  const prefix = `${uniqueName("delete")}-`;
  await makeTopics(kafka, prefix);
  const groupId = uniqueName("group");
  const [sealed, open] = [
    makeLoad("cpi", uniqueName("sealed"), [4, 4]),
    makeLoad("cpi", uniqueName("open"), [1, 1, 1]),
  ];
  await putManifest(lake, sealed);
  const bronze = new Bronze(lake, quietLog);
  const consumer = await startConsumer(groupId, { topicPrefix: prefix, bronze });
  const parts = {
    lake,
    bronze,
    consumerFault: () => consumer.fault,
    hasUnread: async () => true,
    idleMilliseconds: 60_000,
  };
  const sealing = sealLoad(parts, request(sealed), job);
  await produce(kafka, sealed, sealed.slices, { topicPrefix: prefix });
  await produce(kafka, open, open.slices.slice(0, 2), { topicPrefix: prefix });
  expect(await sealing).toMatchObject({ rows: 8, was_sealed: false });
  const committedFirst = async () => (await committed(groupId, sealed, prefix))[0];
  await until("the sealed load is committed", async () => (await committedFirst()) === 2);
  await deleteConsumed(kafka, groupId, [`${prefix}cpi`]);
  expect((await offsetRanges(sealed, prefix))[0]).toEqual({ low: 2, high: 4 });
  await stopConsumer(consumer);
  const next = await startConsumer(groupId, { topicPrefix: prefix });
  await produce(kafka, open, open.slices.slice(2), { topicPrefix: prefix });
  await until("the open load is there", () => isComplete(open));
  await expectEachRowOnce(open);
  expect(next.fault).toBeUndefined();
  await stopConsumer(next);
  await deleteTopics(kafka, prefix);
});

test("records that are committed only after their load is sealed are deleted too", async () => {
  const prefix = `${uniqueName("late")}-`;
  await makeTopics(kafka, prefix);
  const groupId = uniqueName("group");
  const load = makeLoad("cpi", uniqueName("late"), [4, 4]);
  await produce(kafka, load, load.slices, { topicPrefix: prefix });
  const topic = `${prefix}cpi`;
  const admin = kafka.admin();
  await admin.connect();
  const asked = vi.spyOn(kafka, "admin");
  const deleting = deleteSealed(kafka, groupId, [topic], 1_000);
  await until("it has looked once and found nothing", () => asked.mock.calls.length > 2);
  asked.mockRestore();
  await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: "2" }] });
  await admin.disconnect();
  await deleting;
  expect((await offsetRanges(load, prefix))[0]).toEqual({ low: 2, high: 2 });
  await deleteTopics(kafka, prefix);
});

test("records that are gone before they were read are an error, not a jump", async () => {
  const prefix = `${uniqueName("range")}-`;
  await makeTopics(kafka, prefix);
  const groupId = uniqueName("group");
  const load = makeLoad(
    "cpi",
    uniqueName("lost"),
    Array.from({ length: 16 }, () => 1),
  );
  const topic = `${prefix}cpi`;
  const first = await startConsumer(groupId, { topicPrefix: prefix });
  await produce(kafka, load, load.slices.slice(0, 8), { topicPrefix: prefix });
  const marker = makeLoad("cpi", uniqueName("marker"), [1]);
  await produce(kafka, marker, marker.slices, { topicPrefix: prefix });
  await until("the marker is there", () => isComplete(marker));
  const admin = kafka.admin();
  await admin.connect();
  await until("what is to be read next is committed", async () => {
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return committed?.partitions.some(({ partition, offset }) => partition === 0 && offset === "0") ?? false;
  });
  await stopConsumer(first);
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "5" }] });
  await admin.disconnect();

  for (const attempt of ["first", "second"]) {
    const consumer = await startConsumer(groupId, { topicPrefix: prefix });
    await until(`the ${attempt} loader has put the offset back`, async () => {
      return (await offsetsOutOfRange(kafka, groupId, [topic])).length === 1;
    });
    expect(consumer.fault?.message).toContain(`topic ${topic}, partition 0: the next record to read is 0`);
    expect(consumer.fault?.message).toContain("begins at 5");
    await stopConsumer(consumer);
  }
  const accepting = await startConsumer(groupId, { topicPrefix: prefix, onOffsetOutOfRange: "earliest" });
  expect(accepting.fault).toBeUndefined();
  await produce(kafka, load, load.slices, { topicPrefix: prefix });
  await until("the load is complete when it is ingested again", () => isComplete(load));
  await stopConsumer(accepting);
  await deleteTopics(kafka, prefix);
});
