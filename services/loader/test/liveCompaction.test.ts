import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { expect, test, vi } from "vitest";
import { countLive, liveEnds, writeLiveDeadLetter, writeLiveObject } from "../src/liveBronze.ts";
import { compactLive, sweepCompacted } from "../src/liveCompaction.ts";
import { listLiveObjects } from "../src/liveObjects.ts";
import { liveParquetOffsets } from "../src/liveParquet.ts";
import { quietLog } from "./engines.ts";
import { lake, server } from "./memoryLake.ts";

// Some hundred requests a test, which take long on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const dayAfter = () => Date.now() + 24 * 60 * 60 * 1000;
const limits = { objects: 8, rows: 50 };

const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_none, at) => ({
    offset: from + at,
    user_id: 1 + at,
    movie_id: 1,
    rating: 3,
    timestamp: from + at,
  }));

const compact = (on: ObjectStore = lake) => compactLive(on, 0, quietLog, limits);

/** A chain of objects on partition 0, each of five ratings and a dead letter before the next. Answers where it ends. */
async function writeChain(objects: number, from = 0): Promise<number> {
  let first = from;
  for (let at = 0; at < objects; at += 1) {
    const begin = first === 0 ? 0 : first + 1;
    if (begin > 0) await writeLiveDeadLetter(lake, { partition: 0, offset: first, reason: "not JSON", raw: "{" });
    first = (await writeLiveObject(lake, 0, first, rows(begin, begin + 5))).end;
  }
  return first;
}

/** The offsets of partition 0 as a run reads them. */
async function readOffsets(): Promise<number[]> {
  const { current } = await listLiveObjects(lake);
  const read = await Promise.all(
    (current[0] ?? []).map(async ({ key }) => (await lake.bytes(key)) ?? new Uint8Array()),
  );
  return read.flatMap((bytes) => [...liveParquetOffsets(bytes)].map(Number));
}

const keys = () => [...server.objects.keys()].filter((key) => key.startsWith(`${lakeKeys.liveRatings}/`));
const compactedKeys = () => keys().filter((key) => key.includes("-to-"));

class Killed extends Error {}

/** The store as somebody uses it who is killed at the request of a number: before it, or after it where it writes. */
function killedAt(request: number, isWritten: boolean): ObjectStore {
  let left = request;
  return new Proxy(lake, {
    get(store, name: "list" | "bytes" | "create" | "delete") {
      return (...args: never[]) => {
        left -= 1;
        const go = () => (store[name] as (...args: never[]) => unknown).call(store, ...args);
        if (left >= 0) return go();
        if (!isWritten || name === "list" || name === "bytes") throw new Killed();
        return Promise.resolve(go()).then(() => {
          throw new Killed();
        });
      };
    },
  });
}

test("compacted ratings are counted as before: all, from an offset on, and below one", async () => {
  const end = await writeChain(limits.objects + 6);
  const [all, middle, offsets] = [await countLive(lake), [23, 0, 0, 0], await readOffsets()];
  const below = await countLive(lake, { below: middle });
  expect(all).toMatchObject({ bronze: 70, dead_letters: 13, source_rows: end });

  expect(await compact()).toBe(4);
  expect(compactedKeys()).toHaveLength(1);
  expect(await readOffsets()).toEqual(offsets);
  expect(await countLive(lake)).toEqual(all);
  expect(await countLive(lake, { below: middle })).toEqual(below);
  expect(await countLive(lake, { known: below })).toEqual(all);
  expect(await countLive(lake, { known: all })).toEqual(all);
  expect(await liveEnds(lake)).toEqual([end]);
  await writeChain(1, end);
  expect((await countLive(lake, { known: all })).bronze).toBe(75);
});

test("an object that is not full goes into the next one, and a full one stays", async () => {
  let end = await writeChain(limits.objects);
  await compact();
  end = await writeChain(limits.objects, end);
  // Ten objects of five ratings fill one.
  expect(await compact()).toBe(6);
  await writeChain(2, end);
  await compact();
  const { current } = await listLiveObjects(lake);
  expect(current[0]?.map(({ from, to }) => [from, to])).toEqual([
    [0, 59],
    [59, 107],
  ]);
  expect(await countLive(lake)).toMatchObject({ bronze: 90, source_rows: 107 });
});

test("whoever is killed at any request leaves every rating once, for the next to go on", async () => {
  let end = await writeChain(limits.objects);
  await compact();
  end = await writeChain(limits.objects, end);
  const [offsets, counted] = [await readOffsets(), await countLive(lake)];
  let kills = 0;
  for (const isWritten of [false, true]) {
    for (let request = 0; ; request += 1) {
      const death = compact(killedAt(request, isWritten)).then(
        () => false,
        (error) => error instanceof Killed || error,
      );
      if ((await death) === false) break;
      kills += 1;
      expect(await readOffsets()).toEqual(offsets);
      expect(await countLive(lake)).toEqual(counted);
    }
  }
  expect(kills).toBeGreaterThan(5);
  await sweepCompacted(killedAt(1, true), quietLog, dayAfter()).catch(() => {});
  expect(await readOffsets()).toEqual(offsets);
});

test("two that compact at once, also one that was away meanwhile, leave every rating once", async () => {
  let end = await writeChain(limits.objects);
  let goOn = () => {};
  const away = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const late = new Proxy(lake, {
    get: (store, name: "list" | "bytes" | "create") =>
      name === "create"
        ? (key: string, body: Uint8Array) => away.then(() => store.create(key, body))
        : store[name].bind(store),
  });
  const zombie = compact(late);
  await Promise.all([compact(), compact()]);
  end = await writeChain(limits.objects + 3, end);
  const offsets = await readOffsets();
  await Promise.all([compact(), compact()]);
  goOn();
  await zombie;
  expect(await readOffsets()).toEqual(offsets);
  expect(await liveEnds(lake)).toEqual([end]);
});

test("objects are deleted a day after they were compacted, and nobody who begins there again is read", async () => {
  const end = await writeChain(limits.objects);
  const counted = await countLive(lake);
  await compact();
  await sweepCompacted(lake, quietLog);
  expect(keys()).toHaveLength(limits.objects + 1);
  await sweepCompacted(lake, quietLog, dayAfter());
  expect(keys()).toEqual(compactedKeys());

  // A loader that was stopped with these in memory, and one after it; both have ratings from behind the compacted part.
  expect(await writeLiveObject(lake, 0, 23, rows(24, end + 3))).toEqual({ created: true, end });
  expect(await writeLiveObject(lake, 0, 23, rows(24, 29))).toEqual({ created: false, end });
  expect(await countLive(lake)).toEqual(counted);
  expect(await writeLiveObject(lake, 0, end, rows(end, end + 3))).toEqual({ created: true, end: end + 3 });
  expect(await countLive(lake)).toMatchObject({ bronze: counted.bronze + 3 });
  await sweepCompacted(lake, quietLog, dayAfter());
  expect(keys()).toHaveLength(2);
});

test("an object that is in the compacted form of others in part is refused", async () => {
  await writeChain(limits.objects);
  await compact();
  await lake.put(lakeKeys.compactedLiveObject(0, 20, 9_999), "any");
  await expect(countLive(lake)).rejects.toMatchObject({ code: "live_overlap" });
});
