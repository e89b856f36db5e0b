import { datasetNames } from "@boxoffice/contracts/dataset";
import { deadLetterTopic, sliceHeaders } from "@boxoffice/contracts/slice";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import type { Logger } from "pino";
import type { Bronze } from "./bronze.ts";
import { type OffsetFault, offsetFaultError, offsetsOutOfRange } from "./consumerOffsets.ts";
import { OpenGroups, type Slice } from "./openGroups.ts";

export interface ConsumeOptions {
  kafka: Kafka;
  groupId: string;
  bronze: Bronze;
  log: Logger;
  abandonedAfterMilliseconds: number;
  /** `earliest` reads on when records are gone; `stop` reads no more of their partition. */
  onOffsetOutOfRange: "stop" | "earliest";
  topicPrefix?: string;
}

/** What is known of a partition since it was assigned. */
interface Position {
  open: OpenGroups;
  next?: bigint;
  committed?: bigint;
}

const restartMilliseconds = 5_000;
const partitionKey = (topic: string, partition: number) => `${topic}[${partition}]`;

/** Takes slices from the topics to bronze; commits only what the lake holds. */
export class SliceConsumer {
  readonly #options: ConsumeOptions;
  readonly #topics: string[];
  readonly #deadLetterTopic: string;
  readonly #consumer: Consumer;
  readonly #faults = new Map<string, OffsetFault>();
  /** Replaced as a whole when the group rebalances: reading starts again from the committed offsets. */
  #assignment = new Map<string, Position>();
  #isJoined = false;
  #isStopped = false;

  constructor(options: ConsumeOptions) {
    const { kafka, groupId, topicPrefix = "", log } = options;
    this.#options = options;
    this.#deadLetterTopic = `${topicPrefix}${deadLetterTopic}`;
    this.#topics = [...datasetNames.map((dataset) => `${topicPrefix}${dataset}`), this.#deadLetterTopic];
    this.#consumer = kafka.consumer({
      groupId,
      sessionTimeout: 10_000,
      heartbeatInterval: 2_000,
      maxBytesPerPartition: 4 << 20,
      maxBytes: 16 << 20,
      maxWaitTimeInMs: 1_000,
    });
    const { GROUP_JOIN, REBALANCING, CRASH } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#assignment = new Map();
      this.#isJoined = true;
      log.info({ assignment: payload.memberAssignment }, "assigned");
    });
    this.#consumer.on(REBALANCING, () => {
      this.#isJoined = false;
    });
    this.#consumer.on(CRASH, ({ payload }) => {
      this.#isJoined = false;
      log.error({ reason: payload.error.message, restart: payload.restart }, "the consumer failed");
      if (!payload.restart && !this.#isStopped)
        setTimeout(() => this.#run().catch(this.#logFailure), restartMilliseconds);
    });
  }

  async start(): Promise<void> {
    const { kafka, groupId } = this.#options;
    for (const fault of await offsetsOutOfRange(kafka, groupId, this.#topics)) this.#raise(fault);
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: this.#topics, fromBeginning: true });
    await this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#consumer.disconnect();
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** Says which records were gone before they were read, if any. */
  get fault(): ServiceError | undefined {
    const [first] = this.#faults.values();
    const remedy = "To go on: restart the loader with OFFSET_OUT_OF_RANGE=earliest, then run with --full-refresh.";
    return first && offsetFaultError(first, remedy);
  }

  readonly #logFailure = (error: Error) =>
    this.#options.log.error({ reason: error.message }, "the consumer cannot start");

  #run(): Promise<void> {
    return this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 2,
      eachBatch: (payload) => this.#takeBatch(payload),
    });
  }

  async #takeBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, pause, resolveOffset, heartbeat, isRunning, isStale } = payload;
    const { topic, partition } = batch;
    const assignment = this.#assignment;
    const position = this.#position(assignment, topic, partition);
    for (const message of batch.messages) {
      if (!isRunning() || isStale() || assignment !== this.#assignment) return;
      const offset = BigInt(message.offset);
      if (position.next !== undefined && offset > position.next) {
        this.#raise({ topic, partition, expected: String(position.next), found: message.offset });
      }
      const fault = this.#faults.get(partitionKey(topic, partition));
      if (fault) {
        // kafkajs has moved the committed offset to the beginning; put back, a restart sees the loss again.
        await commit(payload, BigInt(fault.expected));
        pause();
        return;
      }
      await this.#take(topic, message, position.open);
      position.next = offset + 1n;
      resolveOffset(message.offset);
      await heartbeat();
    }
    const safe = position.open.firstOffset() ?? position.next;
    if (safe === undefined || safe === position.committed || assignment !== this.#assignment) return;
    await commit(payload, safe);
    position.committed = safe;
  }

  /** Takes one message. When it throws the message comes again, so whatever it did must bear repetition. */
  async #take(topic: string, message: KafkaMessage, open: OpenGroups): Promise<void> {
    const { bronze, log } = this.#options;
    const slice = readSlice(message);
    if (!slice) {
      log.error({ topic, offset: message.offset }, "not a slice, skipped");
      return;
    }
    if (topic === this.#deadLetterTopic) {
      await bronze.writeDeadLetters(slice);
    } else {
      for (const { dataset, load_id, group, slices } of open.dropAbandoned(slice)) {
        log.warn({ dataset, load_id, group, slices: slices.size }, "incomplete group of an abandoned load dropped");
      }
      if (await bronze.has(slice)) open.close(slice);
      else await this.#collect(slice, open);
    }
    bronze.arrived(slice);
  }

  async #collect(slice: Slice, open: OpenGroups): Promise<void> {
    const [first, ...others] = open.add(slice) ?? [];
    if (!first) return;
    try {
      await this.#options.bronze.writeGroup([first, ...others]);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.#options.bronze.fail(slice, error);
    }
    open.close(slice);
  }

  #position(assignment: Map<string, Position>, topic: string, partition: number): Position {
    const key = partitionKey(topic, partition);
    const known = assignment.get(key);
    if (known) return known;
    const position: Position = { open: new OpenGroups(this.#options.abandonedAfterMilliseconds) };
    assignment.set(key, position);
    return position;
  }

  #raise(fault: OffsetFault): void {
    this.#options.log.error(fault, "offset out of range: records were gone before they were read");
    if (this.#options.onOffsetOutOfRange === "stop")
      this.#faults.set(partitionKey(fault.topic, fault.partition), fault);
  }
}

function commit({ batch, commitOffsetsIfNecessary }: EachBatchPayload, offset: bigint): Promise<void> {
  const partitions = [{ partition: batch.partition, offset: String(offset) }];
  return commitOffsetsIfNecessary({ topics: [{ topic: batch.topic, partitions }] });
}

function readSlice({ headers, value, offset, timestamp }: KafkaMessage): Slice | undefined {
  const texts = Object.entries(headers ?? {}).map(([name, header]) => [name, header?.toString()]);
  const parsed = sliceHeaders.safeParse(Object.fromEntries(texts));
  if (!parsed.success || !value) return undefined;
  // A copy, because the value is a view that would keep the whole response of the broker in memory.
  return { ...parsed.data, offset: BigInt(offset), timestamp: Number(timestamp), value: new Uint8Array(value) };
}
