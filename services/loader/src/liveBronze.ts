import { lakeKeys, parseLiveKey } from "@boxoffice/contracts/lakeKeys";
import type { LiveDeadLetter } from "@boxoffice/contracts/liveRating";
import { type LiveInput, noLiveInput } from "@boxoffice/contracts/runInputs";
import { partitions } from "@boxoffice/contracts/slice";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { compactedEnd, listLiveObjects, liveOverlap } from "./liveObjects.ts";
import { liveParquet, liveParquetOffsets } from "./liveParquet.ts";
import type { LiveRow } from "./liveRow.ts";

/**
 * Writes the object of a partition that begins at an offset, unless there is one; answers the offset behind the last
 * row of the one that is there then.
 *
 * The objects of a partition are a chain: each begins where the one before ends, because a loader begins at an offset
 * that is committed, and only the end of an object is. So of two loaders that begin at the same offset one writes, and
 * the other goes on behind what was written, however many rows that is. One that begins where the chain is compacted, and
 * the object perhaps deleted, goes on behind the compacted part; nobody reads what it has written there.
 */
export async function writeLiveObject(
  lake: ObjectStore,
  partition: number,
  first: number,
  rows: readonly LiveRow[],
): Promise<{ created: boolean; end: number }> {
  const key = lakeKeys.liveObject(partition, first);
  const end = (rows.at(-1)?.offset ?? first) + 1;
  const created = await lake.create(key, liveParquet(partition, rows));
  // Looked for afterwards: an object is deleted only when a compacted one is there.
  const compacted = await compactedEnd(lake, partition, first);
  if (compacted !== undefined) return { created, end: compacted };
  return { created, end: created ? end : endOf(await offsetsOf(lake, key)) };
}

/** Keeps what is no rating. The same again finds it there. */
export async function writeLiveDeadLetter(lake: ObjectStore, letter: LiveDeadLetter): Promise<void> {
  await lake.create(lakeKeys.liveDeadLetter(letter.partition, letter.offset), JSON.stringify(letter));
}

interface CountOptions {
  /** What was counted before: objects below its offsets are not read again. */
  known?: LiveInput | undefined;
  /** Counts no object from these offsets on. */
  below?: readonly number[] | undefined;
}

/** What bronze holds of the live ratings, and how far it reaches on each partition. */
export async function countLive(
  lake: ObjectStore,
  { known = noLiveInput, below }: CountOptions = {},
): Promise<LiveInput> {
  const limit = (partition: number) => (below ? (below[partition] ?? 0) : Number.POSITIVE_INFINITY);
  const isKnownWhole = known.offsets.every((offset, partition) => offset <= limit(partition));
  const from = isKnownWhole ? known : noLiveInput;
  const counted: LiveInput = {
    ...from,
    offsets: Array.from({ length: Math.max(partitions, from.offsets.length) }, (_none, at) => from.offsets[at] ?? 0),
  };
  const start = [...counted.offsets];
  const { current } = await listLiveObjects(lake);
  for (const { key, partition, from, to } of current.flat()) {
    const [least, most] = [start[partition] ?? 0, limit(partition)];
    // A run ends where an object did that may be compacted by now, with what lies around it.
    if ((to ?? from + 1) <= least || from >= most) continue;
    if (from < (counted.offsets[partition] ?? 0) && to === undefined)
      throw liveOverlap(key, counted.offsets[partition]);
    const offsets = (await offsetsOf(lake, key)).filter((offset) => offset >= least && offset < most);
    const end = to === undefined ? endOf(offsets) : Math.min(to, most);
    counted.offsets[partition] = end;
    counted.bronze += offsets.length;
    counted.source_rows += end - Math.max(from, least);
  }
  for await (const { key } of lake.list(lakeKeys.liveDeadLetters)) {
    const place = parseLiveKey(key);
    if (!place) continue;
    const { partition, offset } = place;
    if (offset >= (start[partition] ?? 0) && offset < (counted.offsets[partition] ?? 0)) counted.dead_letters += 1;
  }
  return counted;
}

/** By partition, the offset behind the last rating of its last object. */
export async function liveEnds(lake: ObjectStore): Promise<(number | undefined)[]> {
  const ends: (number | undefined)[] = [];
  for (const [partition, objects] of (await listLiveObjects(lake)).current.entries()) {
    const last = objects.at(-1);
    ends[partition] = last && (last.to ?? endOf(await offsetsOf(lake, last.key)));
  }
  return ends;
}

/** Whether everything of each partition between two offsets is a dead letter: no object will ever end behind it. */
export async function areDeadLetters(
  lake: ObjectStore,
  from: readonly number[],
  to: readonly number[],
): Promise<boolean> {
  const left = to.map((end, partition) => Math.max(0, end - (from[partition] ?? 0)));
  for await (const { key } of lake.list(lakeKeys.liveDeadLetters)) {
    const place = parseLiveKey(key);
    if (!place) continue;
    const { partition, offset } = place;
    if (offset >= (from[partition] ?? 0) && offset < (to[partition] ?? 0)) left[partition] = (left[partition] ?? 0) - 1;
  }
  return left.every((count) => count === 0);
}

/** The offsets of the ratings in an object, which has at least one. */
async function offsetsOf(lake: ObjectStore, key: string): Promise<BigInt64Array> {
  const bytes = await lake.bytes(key);
  if (!bytes) throw new ServiceError("missing_object", `${key} is no longer in the lake`);
  const offsets = liveParquetOffsets(bytes);
  if (offsets.length === 0) throw new ServiceError("bad_object", `${key} has no row`);
  return offsets;
}

const endOf = (offsets: BigInt64Array) => Number(offsets.at(-1) ?? -1n) + 1;
