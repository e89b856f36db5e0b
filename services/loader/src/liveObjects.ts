import { lakeKeys, parseCompactedLiveKey, parseLiveKey } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore, StoredObject } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";

/** Live ratings in bronze, from an offset of their partition on; before `to` where they are compacted. */
export interface LiveObject extends StoredObject {
  partition: number;
  from: number;
  to: number | undefined;
}

export interface LiveObjects {
  /** By partition, the objects that hold each rating once, in the order of their offsets. */
  current: LiveObject[][];
  /** Those whose ratings a compacted object of `current` holds too, and when the first that does was written. */
  replaced: { object: LiveObject; since: Date }[];
}

/**
 * Every object of live ratings, of one partition or all. Compacted objects begin at the same offset or where a full one
 * ends, so of those with one beginning the longest holds the others. What begins before the end of the last holds
 * nothing that they do not: objects of the chain, or of a loader that was away while its part of the chain was compacted.
 */
export async function listLiveObjects(lake: ObjectStore, partition?: number): Promise<LiveObjects> {
  const single: LiveObject[] = [];
  const compacted: LiveObject[] = [];
  const place = partition === undefined ? "" : `partition-${partition}-`;
  for await (const object of lake.list(`${lakeKeys.liveRatings}/${place}`)) {
    const merged = parseCompactedLiveKey(object.key);
    if (merged) compacted.push({ ...object, ...merged });
    const one = object.key.endsWith(".parquet") ? parseLiveKey(object.key) : undefined;
    if (one) single.push({ ...object, partition: one.partition, from: one.offset, to: undefined });
  }
  const longestFirst = (a: LiveObject, b: LiveObject) => a.from - b.from || (b.to ?? 0) - (a.to ?? 0);
  const current: LiveObject[][] = [];
  const replaced: LiveObjects["replaced"] = [];
  for (const object of [...compacted.sort(longestFirst), ...single.sort((a, b) => a.from - b.from)]) {
    current[object.partition] ??= [];
    const before = current[object.partition] ?? [];
    const last = before.findLast(({ to }) => to !== undefined);
    if (last?.to === undefined || object.from >= last.to) before.push(object);
    else if ((object.to ?? 0) <= last.to) replaced.push({ object, since: firstHolder(object, compacted) });
    else throw liveOverlap(object.key, last.to);
  }
  return { current: Array.from(current, (objects) => objects ?? []), replaced };
}

/** When the first compacted object was written that holds what an object does. */
function firstHolder(object: LiveObject, compacted: readonly LiveObject[]): Date {
  const { partition, from, to = from + 1 } = object;
  const holders = compacted.filter(
    (other) => other !== object && other.partition === partition && other.from <= from && to <= (other.to ?? 0),
  );
  return new Date(Math.min(...holders.map(({ modified }) => modified.getTime())));
}

/** Where the compacted object that holds an offset ends; undefined when none does. */
export async function compactedEnd(lake: ObjectStore, partition: number, offset: number): Promise<number | undefined> {
  const { current } = await listLiveObjects(lake, partition);
  const holder = current[partition]?.find(({ from, to }) => to !== undefined && from <= offset && offset < to);
  return holder?.to;
}

/** Two objects hold the same offsets, and neither is the other's compacted form. */
export function liveOverlap(key: string, end: number | undefined): ServiceError {
  return new ServiceError(
    "live_overlap",
    `${key} begins before offset ${end}, where the object before it ends: ratings would count twice`,
  );
}
