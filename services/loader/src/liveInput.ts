import { setTimeout as sleep } from "node:timers/promises";
import { liveTopic } from "@boxoffice/contracts/liveRating";
import type { LiveInput } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Kafka } from "kafkajs";
import type { Logger } from "pino";
import { topicEnds } from "./consumerOffsets.ts";
import { areDeadLetters, countLive } from "./liveBronze.ts";

export interface LiveInputParts {
  lake: ObjectStore;
  kafka: Kafka;
  /** Writes to bronze what was read. */
  flush: () => Promise<void>;
  log: Logger;
  topic?: string;
}

const patienceMilliseconds = 20_000;
const lookAgainMilliseconds = 250;

/**
 * The live ratings that a run reads: all that are on the topic now. Those that do not reach bronze in time, because
 * their loader is away, are left to the next run: a batch does not fail for them.
 */
export async function fixLiveInput(
  { lake, kafka, flush, log, topic = liveTopic }: LiveInputParts,
  known: LiveInput | undefined,
): Promise<LiveInput> {
  const deadline = Date.now() + patienceMilliseconds;
  const ends = await topicEnds(kafka, topic).catch((error: Error) => {
    log.warn({ reason: error.message }, "the end of the live topic is not known: the run reads what bronze has");
    return [];
  });
  for (;;) {
    await flush().catch((error: Error) => log.warn({ reason: error.message }, "live ratings are not in bronze yet"));
    const input = await countLive(lake, { known });
    // Dead letters at the end are left to the run that reads a rating behind them.
    if (await areDeadLetters(lake, input.offsets, ends)) return input;
    if (Date.now() > deadline) {
      log.warn({ ends, offsets: input.offsets }, "live ratings of other loaders are left to the next run");
      return input;
    }
    await sleep(lookAgainMilliseconds);
  }
}
