import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type { Logger } from "pino";
import { longestRunMilliseconds } from "./endedRun.ts";
import { type LiveObject, listLiveObjects, liveOverlap } from "./liveObjects.ts";
import { liveParquetOffsets, mergedLiveParquet } from "./liveParquet.ts";

export interface CompactionLimits {
  /** As many objects that are not compacted are compacted. */
  objects: number;
  /** A compacted object with as many ratings is full: what comes later begins another. */
  rows: number;
}

export const compactionLimits: CompactionLimits = { objects: 64, rows: 262_144 };

/**
 * Writes the objects of a partition that are not compacted as one, with the last compacted one while that is not full.
 * Done twice, or by two at once, it leaves objects of which one holds the others, since all end an object at the same
 * offset when it is full. Nothing is deleted. Answers how many objects are not compacted then. Memory holds the ratings
 * of one object.
 */
export async function compactLive(
  lake: ObjectStore,
  partition: number,
  log: Logger,
  limits = compactionLimits,
): Promise<number> {
  for (;;) {
    const { current } = await listLiveObjects(lake, partition);
    const objects = current[partition] ?? [];
    const single = objects.filter(({ to }) => to === undefined);
    if (single.length < limits.objects) return single.length;
    const { from, to, rows, files } = await readUntilFull(lake, objects, single, limits.rows);
    const created = await lake.create(lakeKeys.compactedLiveObject(partition, from, to), mergedLiveParquet(files));
    log.info({ partition, from, to, rows, objects: files.length, created }, "live ratings compacted");
  }
}

interface Part {
  from: number;
  to: number;
  rows: number;
  files: Uint8Array[];
}

/** What goes into the next compacted object: up to where it is full, or Kafka has lost ratings that were not read. */
async function readUntilFull(
  lake: ObjectStore,
  objects: readonly LiveObject[],
  single: readonly LiveObject[],
  full: number,
): Promise<Part> {
  let part: Part | undefined;
  const last = objects.findLast(({ to }) => to !== undefined);
  if (last && last.to === single[0]?.from) {
    const begun = await add(lake, undefined, last);
    if (begun.rows < full) part = begun;
  }
  for (const object of single) {
    if (part && (part.rows >= full || object.from > part.to)) break;
    part = await add(lake, part, object);
  }
  if (!part) throw new Error("there is no object to compact");
  return part;
}

async function add(lake: ObjectStore, part: Part | undefined, { key, from }: LiveObject): Promise<Part> {
  if (part && from < part.to) throw liveOverlap(key, part.to);
  const file = await lake.bytes(key);
  if (!file) throw new ServiceError("missing_object", `${key} is no longer in the lake`);
  const offsets = liveParquetOffsets(file);
  const to = Number(offsets.at(-1)) + 1;
  return {
    from: part?.from ?? from,
    to,
    rows: (part?.rows ?? 0) + offsets.length,
    files: [...(part?.files ?? []), file],
  };
}

/** Deletes objects that a compacted one has held for a day: no run that begins reads them, and none that began is left. */
export async function sweepCompacted(lake: ObjectStore, log: Logger, now: number = Date.now()): Promise<void> {
  const { replaced } = await listLiveObjects(lake);
  const old = replaced.filter(({ since }) => since.getTime() <= now - longestRunMilliseconds);
  if (old.length === 0) return;
  await lake.delete(old.map(({ object }) => object.key));
  log.info({ objects: old.length }, "objects of live ratings swept that are compacted");
}
