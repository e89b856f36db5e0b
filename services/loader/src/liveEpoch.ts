import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { epochBegin, type LiveEpoch, liveEpoch, rescuedBegin } from "@boxoffice/contracts/liveEpoch";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { topicIdentity } from "@boxoffice/platform/topics";
import type { Kafka } from "kafkajs";
import type pg from "pg";
import type { Logger } from "pino";
import { topicEnds } from "./consumerOffsets.ts";
import { liveEnds, writeLiveObject } from "./liveBronze.ts";
import { liveRowsBetween } from "./liveTable.ts";

export interface EpochParts {
  kafka: Kafka;
  lake: ObjectStore;
  pool: pg.Pool;
  topic: string;
  log: Logger;
}

/**
 * The epoch of the topic as it is now. Where it is another topic than the last epoch's, a new epoch begins, once for all
 * loaders; what the warehouse has of the one before and bronze has not is in bronze then.
 */
export async function currentEpoch(parts: EpochParts): Promise<LiveEpoch> {
  const { kafka, lake, topic, log } = parts;
  for (;;) {
    const last = await lastEpoch(lake);
    const topic_id = await topicIdentity(kafka, topic);
    const isShort = await endsBefore(parts, last ?? { number: 0 });
    if (last?.topic_id === topic_id && !isShort) {
      await rescue(parts, last);
      return last;
    }
    const number = last ? last.number + 1 : Number(isShort);
    const epoch: LiveEpoch = { number, topic_id, began_at: new Date().toISOString() };
    const created = await lake.create(lakeKeys.liveEpoch(number), JSON.stringify(epoch));
    if (created && number > 0) log.warn({ topic, epoch: number }, "Kafka was emptied: live ratings begin a new epoch");
  }
}

async function lastEpoch(lake: ObjectStore): Promise<LiveEpoch | undefined> {
  let last: string | undefined;
  for await (const { key } of lake.list(lakeKeys.liveEpochs)) if (key.endsWith(".json")) last = key;
  return last === undefined ? undefined : lake.json(last, liveEpoch);
}

/** Whether bronze reaches further into an epoch than its topic does: it is not the topic that this came from. */
async function endsBefore({ kafka, lake, topic }: EpochParts, epoch: Pick<LiveEpoch, "number">): Promise<boolean> {
  const held = await liveEnds(lake);
  // Asked for after the lake: the topic grows meanwhile, and so does what other loaders write of it.
  const ends = await topicEnds(kafka, topic);
  return held.some((end, partition) => (end ?? 0) - epochBegin(epoch) > (ends[partition] ?? 0));
}

/** Puts into bronze what was acknowledged and is in the warehouse alone, as Kafka has it no more. The same again finds it. */
async function rescue({ lake, pool, log }: EpochParts, epoch: LiveEpoch): Promise<void> {
  if (epoch.number === 0) return;
  const begin = rescuedBegin(epoch);
  const rescued = await liveRowsBetween(pool, await liveEnds(lake), begin);
  for (const { partition, rows } of rescued) {
    const placed = rows.map((row, at) => ({ ...row, offset: begin + at }));
    const { created } = await writeLiveObject(lake, partition, begin, placed);
    log.warn(
      { partition, rows: rows.length, created },
      "live ratings that Kafka lost are in bronze, from the warehouse",
    );
  }
}
