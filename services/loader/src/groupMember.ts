import type { ServiceError } from "@boxoffice/platform/serviceError";
import kafkajs, { type Consumer, type ConsumerConfig, type EachBatchPayload, type Kafka } from "kafkajs";
import type { Logger } from "pino";
import { type OffsetFault, offsetFaultError, offsetsOutOfRange } from "./consumerOffsets.ts";

export interface GroupMemberOptions {
  kafka: Kafka;
  topics: string[];
  /** The group, and how much is fetched how often. */
  consumer: ConsumerConfig;
  /** Partitions whose batches are taken side by side. */
  concurrency: number;
  /** Takes a batch; when it throws the batch comes again, so whatever it did must bear repetition. */
  take: (payload: EachBatchPayload) => Promise<void>;
  /** `earliest` reads on when records are gone; `stop` reads no more of their partition. */
  onOffsetOutOfRange: "stop" | "earliest";
  /** What to do about records that are gone, for its error. */
  remedy: string;
  log: Logger;
}

const restartMilliseconds = 5_000;
const beatMilliseconds = 1_000;
const partitionKey = (topic: string, partition: number) => `${topic}[${partition}]`;

/**
 * A member of a consumer group that commits by hand. Keeps a `Position` for each partition since it was assigned, starts
 * again after a crash, and reads no more of a partition that lost records unread.
 */
export class GroupMember<Position> {
  readonly #options: GroupMemberOptions;
  readonly #consumer: Consumer;
  readonly #faults = new Map<string, OffsetFault>();
  #positions = new Map<string, Position>();
  #isJoined = false;
  #isStopped = false;

  constructor(options: GroupMemberOptions) {
    const { kafka, consumer, log } = options;
    this.#options = options;
    this.#consumer = kafka.consumer(consumer);
    const { GROUP_JOIN, REBALANCING, CRASH } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#positions = new Map();
      this.#isJoined = true;
      log.info({ assignment: payload.memberAssignment }, "assigned");
    });
    this.#consumer.on(REBALANCING, () => {
      this.#isJoined = false;
    });
    this.#consumer.on(CRASH, ({ payload }) => {
      this.#isJoined = false;
      log.error(
        { group: consumer.groupId, reason: payload.error.message, restart: payload.restart },
        "the consumer failed",
      );
      if (!payload.restart && !this.#isStopped)
        setTimeout(() => this.#run().catch(this.#logFailure), restartMilliseconds);
    });
  }

  /** Joins the group and begins to read from the committed offsets. */
  async start(): Promise<void> {
    const { kafka, consumer, topics } = this.#options;
    for (const fault of await offsetsOutOfRange(kafka, consumer.groupId, topics)) this.#raise(fault);
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics, fromBeginning: true });
    await this.#run();
  }

  /** Leaves the group; the member does not start again. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#consumer.disconnect();
  }

  /** Reads no more; the member stays in its group. */
  pause(): void {
    try {
      this.#consumer.pause(this.#options.topics.map((topic) => ({ topic })));
    } catch (error) {
      // kafkajs refuses while a consumer that failed has not started again; it reads nothing then.
      if (!(error instanceof kafkajs.KafkaJSNonRetriableError)) throw error;
    }
  }

  /** Whether the member has partitions, or knows that there are none for it. */
  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** Says which records were gone before they were read, if any. */
  get fault(): ServiceError | undefined {
    const [first] = this.#faults.values();
    return first && offsetFaultError(first, this.#options.remedy);
  }

  /** By partition. Replaced as a whole when the group rebalances: reading starts again from the committed offsets. */
  get positions(): ReadonlyMap<string, Position> {
    return this.#positions;
  }

  /** The position of a batch's partition, or undefined when it was just assigned. */
  known({ batch: { topic, partition } }: EachBatchPayload): Position | undefined {
    return this.#positions.get(partitionKey(topic, partition));
  }

  /** The position of a batch's partition, `first` when it was just assigned. */
  position(payload: EachBatchPayload, first: () => Position): Position {
    const known = this.known(payload);
    if (known) return known;
    const position = first();
    const { topic, partition } = payload.batch;
    this.#positions.set(partitionKey(topic, partition), position);
    return position;
  }

  /** Reads a batch's partition from its beginning, the batch included: its topic was made anew. */
  beginAnew({ batch: { topic, partition } }: EachBatchPayload): void {
    this.#positions.delete(partitionKey(topic, partition));
    this.#consumer.seek({ topic, partition, offset: "0" });
  }

  /** Whether the records before `found` are lost and no more of the partition is to be read. */
  async hasLost(payload: EachBatchPayload, expected: bigint, found: bigint): Promise<boolean> {
    const { topic, partition } = payload.batch;
    if (found > expected) this.#raise({ topic, partition, expected: String(expected), found: String(found) });
    const fault = this.#faults.get(partitionKey(topic, partition));
    if (!fault) return false;
    // kafkajs has moved the committed offset to the beginning; put back, a restart sees the loss again.
    await commitBatch(payload, BigInt(fault.expected));
    payload.pause();
    return true;
  }

  /** Commits outside of a batch; tries again while the group rebalances. */
  async commit(topic: string, partition: number, offset: bigint): Promise<void> {
    await this.#consumer.commitOffsets([{ topic, partition, offset: String(offset) }]);
  }

  readonly #logFailure = (error: Error) =>
    this.#options.log.error({ reason: error.message }, "the consumer cannot start");

  #run(): Promise<void> {
    const { concurrency, take } = this.#options;
    return this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency,
      eachBatch: take,
    });
  }

  #raise(fault: OffsetFault): void {
    this.#options.log.error(fault, "offset out of range: records were gone before they were read");
    if (this.#options.onOffsetOutOfRange === "stop")
      this.#faults.set(partitionKey(fault.topic, fault.partition), fault);
  }
}

/** Commits the next offset of a batch's partition; throws when the group rebalances, and the batch comes again. */
export function commitBatch({ batch, commitOffsetsIfNecessary }: EachBatchPayload, offset: bigint): Promise<void> {
  const partitions = [{ partition: batch.partition, offset: String(offset) }];
  return commitOffsetsIfNecessary({ topics: [{ topic: batch.topic, partitions }] });
}

/** Does what may take longer than a member may be silent before it counts as dead. */
export async function aliveDuring<T>({ heartbeat }: EachBatchPayload, work: () => Promise<T>): Promise<T> {
  // That the group rebalances is told to whoever commits.
  const beating = setInterval(() => heartbeat().catch(() => {}), beatMilliseconds);
  try {
    return await work();
  } finally {
    clearInterval(beating);
  }
}
