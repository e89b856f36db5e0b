import { setTimeout as sleep } from "node:timers/promises";
import { epochBegin } from "@boxoffice/contracts/liveEpoch";
import { liveTopic } from "@boxoffice/contracts/liveRating";
import type { LiveInput } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Kafka } from "kafkajs";
import type pg from "pg";
import type { Logger } from "pino";
import { topicEnds } from "./consumerOffsets.ts";
import { requestFlush } from "./flushRequests.ts";
import { areDeadLetters, countLive } from "./liveBronze.ts";
import { currentEpoch, type EpochParts } from "./liveEpoch.ts";

export interface LiveInputParts {
  lake: ObjectStore;
  kafka: Kafka;
  /** By way of the warehouse all loaders hear that a run waits. */
  pool: pg.Pool;
  /** Writes to bronze what this loader has read of partitions where bronze ends before these offsets. */
  flush: (ends: readonly number[]) => Promise<void>;
  log: Logger;
  topic?: string;
  patienceMilliseconds?: number;
}

/** Longer than the group takes to give the partitions of a loader that was killed to the others. */
const patience = 20_000;
const lookAgainMilliseconds = 250;

/**
 * The live ratings that a run reads: all that are on the topic now, whichever loader reads them. All are asked to write
 * theirs to bronze, again and again while any are missing: one may have missed the request, not have read its ratings
 * yet, or have got a partition since. Those that do not reach bronze in time, because their loader is away, are left to
 * the next run: a batch does not fail for them.
 */
export async function fixLiveInput(
  { lake, kafka, pool, flush, log, topic = liveTopic, patienceMilliseconds = patience }: LiveInputParts,
  known: LiveInput | undefined,
): Promise<LiveInput> {
  const warn = (what: string) => (error: Error) => log.warn({ reason: error.message }, what);
  const deadline = Date.now() + patienceMilliseconds;
  const { begin, ends } = await endsOf({ kafka, lake, pool, topic, log }).catch((error: Error) => {
    log.warn({ reason: error.message }, "the end of the live topic is not known: the run reads what bronze has");
    return { begin: 0, ends: [] };
  });
  for (;;) {
    await Promise.all([
      flush(ends).catch(warn("live ratings are not in bronze yet")),
      requestFlush(pool, ends).catch(warn("other loaders are not asked for their live ratings yet")),
    ]);
    const input = await countLive(lake, { known });
    // Dead letters at the end are left to the run that reads a rating behind them.
    const from = input.offsets.map((offset) => Math.max(offset, begin));
    if (await areDeadLetters(lake, from, ends)) return input;
    if (Date.now() > deadline) {
      log.warn({ ends, offsets: input.offsets }, "live ratings of other loaders are left to the next run");
      return input;
    }
    await sleep(lookAgainMilliseconds);
  }
}

/** By partition, where the topic ends, and where its epoch begins on all of them. */
async function endsOf(parts: EpochParts): Promise<{ begin: number; ends: number[] }> {
  const begin = epochBegin(await currentEpoch(parts));
  return { begin, ends: (await topicEnds(parts.kafka, parts.topic)).map((end) => begin + end) };
}
