import { lakeKeys, parseCompactedLiveKey } from "@boxoffice/contracts/lakeKeys";
import { type LiveRating, liveDeadLetter, livePartitionKey } from "@boxoffice/contracts/liveRating";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { deleteConsumed } from "../src/consumerOffsets.ts";
import { countLive, writeLiveObject } from "../src/liveBronze.ts";
import { sweepCompacted } from "../src/liveCompaction.ts";
import { LiveConsumer, type LiveConsumerOptions } from "../src/liveConsumer.ts";
import { fixLiveInput, type LiveInputParts } from "../src/liveInput.ts";
import { LiveTable, upsertLive } from "../src/liveTable.ts";
import { quietLog, uniqueName, until } from "./engines.ts";
import { LiveStores, many, rated, ratingsInBronze } from "./liveRatings.ts";

const stores = new LiveStores();
const { topics } = stores;
const { kafka, producer, admin } = topics;
let pool: pg.Pool;
let lake: ObjectStore;
let topic = "";
const running = new Set<LiveConsumer>();

beforeEach(() => {
  ({ pool, lake, topic } = stores);
});

afterEach(async () => {
  await Promise.all([...running].map(stop));
});

async function start(groupId: string, options: Partial<LiveConsumerOptions> = {}): Promise<LiveConsumer> {
  const consumer = new LiveConsumer({
    kafka,
    groupId,
    lake,
    pool,
    log: quietLog,
    objectMilliseconds: 600_000,
    onOffsetOutOfRange: "stop",
    topic,
    ...options,
  });
  running.add(consumer);
  await consumer.start();
  if (!consumer.fault) await until("the consumer has joined", () => consumer.isJoined);
  return consumer;
}

async function stop(consumer: LiveConsumer): Promise<void> {
  running.delete(consumer);
  await consumer.stop();
}

const partsOf = (consumer: LiveConsumer): LiveInputParts => ({
  ...{ lake, kafka, pool, topic, log: quietLog },
  flush: (ends) => consumer.flush(ends),
});

const produce = (ratings: readonly LiveRating[]) => topics.produce(topic, ratings);
const inBronze = () => ratingsInBronze(lake);
const committed = (groupId: string) => topics.committed(groupId, topic);

async function inWarehouse(): Promise<LiveRating[]> {
  const { rows } = await pool.query<LiveRating>(
    `select user_id, movie_id, rating::float as rating, extract(epoch from rated_at)::int as timestamp
     from live.ratings order by 1, 2`,
  );
  return rows;
}

async function liveKeys(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.list(lakeKeys.liveRatings)) if (key.endsWith(".parquet")) keys.push(key);
  return keys;
}

const areIn = (count: number) => async () => (await inWarehouse()).length === count;

test("ratings are in the warehouse at once, and committed only when bronze has them too", async () => {
  const group = uniqueName("group");
  const consumer = await start(group);
  const ratings = many(300);
  await produce(ratings);
  await until("all are in the warehouse", areIn(300));
  expect(await inWarehouse()).toEqual(ratings);
  expect(await liveKeys()).toEqual([]);
  expect(await committed(group)).toEqual([-1, -1, -1, -1]);

  await consumer.flush();
  expect(await inBronze()).toEqual(ratings);
  const { offsets, ...counted } = await countLive(lake);
  expect(counted).toMatchObject({ bronze: 300, source_rows: 300, dead_letters: 0 });
  expect(await committed(group)).toEqual(offsets);
});

test("a rating that is old enough is written to bronze without being asked for", async () => {
  await start(uniqueName("group"), { objectMilliseconds: 200 });
  await produce(many(3));
  await until("bronze has them", async () => (await inBronze()).length === 3);
});

test("a loader that was killed before its commit is followed by one that changes nothing of what is there", async () => {
  const first = await start(uniqueName("killed"));
  const ratings = many(500);
  await produce(ratings.slice(0, 200));
  await until("the first part is in the warehouse", areIn(200));
  await first.flush();
  await produce(ratings.slice(200, 350));
  await until("the second part is in the warehouse", areIn(350));
  await first.flush();
  const before = await liveKeys();
  await produce(ratings.slice(350));
  await until("the third part is in the warehouse only", areIn(500));

  // A group without any commit is what the next loader finds when the first one committed nothing. It reads from the
  // beginning, in portions that are not those of the objects.
  const second = await start(uniqueName("next"));
  await until("everything was read again", async () => {
    await second.flush();
    return (await inBronze()).length >= 500;
  });
  expect(await inBronze()).toEqual(ratings);
  expect(await inWarehouse()).toEqual(ratings);
  expect(await liveKeys()).toEqual(expect.arrayContaining(before));
});

test.each([
  ["write", 64],
  ["compact", 3],
])(
  "two loaders that read the same ratings at once, as one that was thought dead does, %s each once",
  async (_what, objects) => {
    const compaction = { objects, rows: 100 };
    const consumers = await Promise.all(["zombie", "heir"].map((name) => start(uniqueName(name), { compaction })));
    const ratings = many(1_000);
    for (let from = 0; from < ratings.length; from += 100) {
      await produce(ratings.slice(from, from + 100));
      // Each portion in objects of its own, however late the consumers are.
      await until("the portion was read", async () => {
        await Promise.all(consumers.map((consumer) => consumer.flush()));
        return (await countLive(lake)).bronze >= from + 100;
      });
    }
    expect(await inBronze()).toEqual(ratings);
    expect(await inWarehouse()).toEqual(ratings);
    expect(await countLive(lake)).toMatchObject({ bronze: 1_000, source_rows: 1_000 });
    await Promise.all(consumers.map(stop));
    const compacted = (await liveKeys()).filter((key) => parseCompactedLiveKey(key));
    expect(compacted.length > 3).toBe(objects === 3);
    await sweepCompacted(lake, quietLog, Date.now() + 24 * 60 * 60 * 1000);
    expect(await inBronze()).toEqual(ratings);
  },
);

test("a loader that is stopped leaves nothing to repeat", async () => {
  const group = uniqueName("group");
  const first = await start(group);
  await produce(many(40));
  await until("all are in the warehouse", areIn(40));
  await stop(first);
  expect((await inBronze()).length).toBe(40);
  expect((await committed(group)).reduce((sum, offset) => sum + Math.max(0, offset), 0)).toBe(40);
});

test("the newest rating of a user and a movie stays, of one second the later, in whatever order they come again", async () => {
  const rows = [
    { ...rated(1, 1, 2, 100), offset: 5 },
    { ...rated(1, 1, 3, 200), offset: 6 },
    { ...rated(1, 1, 4, 200), offset: 8 },
    { ...rated(1, 1, 5, 150), offset: 9 },
    { ...rated(1, 2, 1, 10), offset: 7 },
  ];
  const newest = [rated(1, 1, 4, 200), rated(1, 2, 1, 10)];
  await upsertLive(pool, [{ partition: 0, rows }]);
  expect(await inWarehouse()).toEqual(newest);
  for (const order of [[...rows].reverse(), rows, rows.slice(0, 2), rows.slice(3)]) {
    await upsertLive(pool, [{ partition: 0, rows: order }]);
    expect(await inWarehouse()).toEqual(newest);
  }
  await pool.query("truncate live.ratings");
  for (const row of [...rows].reverse()) await upsertLive(pool, [{ partition: 0, rows: [row] }]);
  expect(await inWarehouse()).toEqual(newest);
});

test("partitions that come at once share statements, and one that fails is told to those whose ratings it had only", async () => {
  const table = new LiveTable(pool);
  const portion = (partition: number, rating = 3) => ({
    partition,
    rows: [{ ...rated(partition + 1, 1, rating), offset: 0 }],
  });
  const first = table.upsert(portion(0));
  await new Promise(setImmediate);
  // One that the table cannot hold, with another that goes down with it.
  const failing = [table.upsert(portion(1, 1_000)), table.upsert(portion(2))];
  for (const one of failing) one.catch(() => {});
  await first;
  for (const one of failing) await expect(one).rejects.toThrow("numeric field overflow");
  await Promise.all([1, 2, 3].map((partition) => table.upsert(portion(partition))));
  expect((await inWarehouse()).map(({ user_id }) => user_id)).toEqual([1, 2, 3, 4]);
});

test("what is no rating stops nothing, is kept as it came, and is counted", async () => {
  const consumer = await start(uniqueName("group"));
  await produce([rated(1, 1)]);
  const user = livePartitionKey({ user_id: 1 });
  await producer.send({
    topic,
    messages: [
      { key: user, value: "{" },
      { key: user, value: '{"user_id":1}' },
    ],
  });
  await produce([rated(1, 2)]);
  await until("the ratings are in the warehouse", areIn(2));
  await consumer.flush();
  const counted = await countLive(lake);
  expect(counted).toMatchObject({ source_rows: 4, bronze: 2, dead_letters: 2 });
  const partition = counted.offsets.indexOf(4);
  expect(await lake.json(lakeKeys.liveDeadLetter(partition, 2), liveDeadLetter)).toMatchObject({
    offset: 2,
    raw: '{"user_id":1}',
    reason: expect.stringContaining("movie_id"),
  });
});

test("a count goes on from one that is known, stops at a barrier, and refuses objects that overlap", async () => {
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from }, (_none, at) => ({ ...rated(1, from + at), offset: from + at }));
  expect(await writeLiveObject(lake, 2, 0, rows(0, 10))).toEqual({ created: true, end: 10 });
  expect(await writeLiveObject(lake, 2, 0, rows(0, 4))).toEqual({ created: false, end: 10 });
  const known = await countLive(lake);
  expect(known.offsets).toEqual([0, 0, 10, 0]);
  await writeLiveObject(lake, 2, 10, rows(10, 25));
  await writeLiveObject(lake, 3, 0, rows(0, 5));
  const all = await countLive(lake);
  expect(all).toMatchObject({ bronze: 30, source_rows: 30, offsets: [0, 0, 25, 5] });
  expect(await countLive(lake, { known })).toEqual(all);
  expect(await countLive(lake, { below: known.offsets })).toEqual(known);
  // What is known may be of a later run than the one that is counted.
  expect(await countLive(lake, { known: all, below: known.offsets })).toEqual(known);
  await writeLiveObject(lake, 2, 20, rows(20, 21));
  await expect(countLive(lake)).rejects.toMatchObject({ code: "live_overlap" });
});

test("a run reads what was on the topic when it began, though nothing of it was in bronze", async () => {
  const consumer = await start(uniqueName("group"));
  const ratings = many(250);
  await produce(ratings);
  const input = await fixLiveInput(partsOf(consumer), undefined);
  expect(input).toMatchObject({ bronze: 250, source_rows: 250, dead_letters: 0 });
  expect(await inBronze()).toEqual(ratings);
});

test("a run does not wait for what is no rating at the end of the topic, and the next one counts it", async () => {
  const consumer = await start(uniqueName("group"));
  const parts = partsOf(consumer);
  const user = livePartitionKey({ user_id: 1 });
  await produce([rated(1, 1)]);
  await producer.send({ topic, messages: [{ key: user, value: "{" }] });
  const begin = performance.now();
  const input = await fixLiveInput(parts, undefined);
  expect(performance.now() - begin).toBeLessThan(10_000);
  expect(input).toMatchObject({ bronze: 1, source_rows: 1, dead_letters: 0 });
  await produce([rated(1, 2)]);
  expect(await fixLiveInput(parts, input)).toMatchObject({ bronze: 2, source_rows: 3, dead_letters: 1 });
});

test("records are deleted behind what is committed only, and a loader that starts later misses none", async () => {
  const group = uniqueName("group");
  const first = await start(group);
  await produce(many(20));
  await until("all are in the warehouse", areIn(20));
  await first.flush();
  await produce(many(20, 101));
  await until("these are in the warehouse", areIn(40));
  await deleteConsumed(kafka, group, [topic]);
  const second = await start(uniqueName("later"));
  await until("the rest is there", async () => {
    await second.flush();
    return (await inBronze()).length === 40;
  });
  expect((await countLive(lake)).bronze).toBe(40);
});

test("ratings that are gone before they were read are an error", async () => {
  const group = uniqueName("group");
  const first = await start(group);
  await produce(many(8));
  await until("all are in the warehouse", areIn(8));
  await stop(first);
  await produce(many(8, 1));
  const ends = await committed(group);
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({
    topic,
    partitions: ends.map((_end, partition) => ({ partition, offset: "-1" })),
  });
  const second = await start(group);
  expect(second.fault).toMatchObject({ code: "offset_out_of_range" });
});

/** Takes the topic away with all that is on it, and makes it anew, as when Kafka's volume is made anew. */
async function emptyTopic(): Promise<void> {
  await admin.deleteTopics({ topics: [topic] });
  await until("the topic is gone", async () => !(await admin.listTopics()).includes(topic));
  await topics.createAgain(topic);
}

const byUser = (ratings: readonly LiveRating[]) => ratings.toSorted((a, b) => a.user_id - b.user_id);

test.each([
  ["fewer", 8],
  ["more", 600],
])("of a topic that is made anew %s ratings than were on it before are read like any others", async (_than, count) => {
  const group = uniqueName("group");
  const first = await start(group);
  await produce(many(200));
  await until("all are in the warehouse", areIn(200));
  await first.flush();
  await stop(first);
  const counted = await countLive(lake);

  await emptyTopic();
  await produce(many(count, 1001));
  const second = await start(group);
  await until("those are in the warehouse", areIn(200 + count));
  const read = await fixLiveInput(partsOf(second), counted);
  expect(read).toMatchObject({ bronze: 200 + count, source_rows: 200 + count, dead_letters: 0 });
  expect(await inBronze()).toEqual(byUser([...many(200), ...many(count, 1001)]));
  expect(second.fault).toBeUndefined();

  await stop(second);
  await produce(many(8, 5001));
  const third = await start(group);
  await until("later ones are in the warehouse", areIn(208 + count));
  expect(await fixLiveInput(partsOf(third), read)).toMatchObject({ bronze: 208 + count });
});

test("what only the warehouse had when Kafka was emptied is in bronze with the next run, once", async () => {
  const group = uniqueName("group");
  const first = await start(group);
  await produce(many(40));
  await until("all are in the warehouse", areIn(40));
  await first.flush();
  await stop(first);
  const ends = (await countLive(lake)).offsets;
  // As a loader leaves them that is killed before it has written an object, with a dead letter between.
  const left = many(6, 101).map((rating, at) => ({ ...rating, offset: (ends[0] ?? 0) + 2 * at }));
  await upsertLive(pool, [{ partition: 0, rows: left }]);

  await emptyTopic();
  const [second, third] = [await start(group), await start(group)];
  const run = await fixLiveInput(partsOf(second), undefined);
  expect(run).toMatchObject({ bronze: 46, source_rows: 46, dead_letters: 0 });
  await produce(many(20, 501));
  await until("later ones are in the warehouse", areIn(66));
  await third.flush();
  expect(await fixLiveInput(partsOf(second), run)).toMatchObject({ bronze: 66, source_rows: 66 });
  expect(await inBronze()).toEqual(byUser([...many(40), ...many(6, 101), ...many(20, 501)]));
});

test("a topic that is made anew under a running loader is read from its beginning", async () => {
  const consumer = await start(uniqueName("group"));
  await produce(many(200));
  await until("all are in the warehouse", areIn(200));
  const before = await fixLiveInput(partsOf(consumer), undefined);

  await emptyTopic();
  await produce(many(8, 501));
  await until("the loader has read it", areIn(208));
  expect(await fixLiveInput(partsOf(consumer), before)).toMatchObject({ bronze: 208, source_rows: 208 });
  expect(await inBronze()).toEqual(byUser([...many(200), ...many(8, 501)]));
  expect(consumer.fault).toBeUndefined();
});
