import { datasetNames } from "@boxoffice/contracts/dataset";
import { deadLetterTopic, partitions, sliceHeaders } from "@boxoffice/contracts/slice";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type { EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import type { Logger } from "pino";
import type { Bronze } from "./bronze.ts";
import { aliveDuring, commitBatch, GroupMember } from "./groupMember.ts";
import { OpenGroups, type Slice } from "./openGroups.ts";

export interface ConsumeOptions {
  kafka: Kafka;
  groupId: string;
  bronze: Bronze;
  log: Logger;
  abandonedAfterMilliseconds: number;
  /** A loader that is silent for so long counts as dead. */
  sessionMilliseconds?: number;
  onOffsetOutOfRange: "stop" | "earliest";
  topicPrefix?: string;
}

/** What is known of a partition since it was assigned. */
interface Position {
  open: OpenGroups;
  next?: bigint;
  committed?: bigint;
}

/** Takes slices from the topics to bronze; commits only what the lake holds. */
export class SliceConsumer {
  readonly #options: ConsumeOptions;
  readonly #deadLetterTopic: string;
  readonly #member: GroupMember<Position>;

  constructor(options: ConsumeOptions) {
    const { kafka, groupId, topicPrefix = "", log, onOffsetOutOfRange, sessionMilliseconds = 10_000 } = options;
    this.#options = options;
    this.#deadLetterTopic = `${topicPrefix}${deadLetterTopic}`;
    this.#member = new GroupMember({
      kafka,
      topics: [...datasetNames.map((dataset) => `${topicPrefix}${dataset}`), this.#deadLetterTopic],
      consumer: {
        groupId,
        sessionTimeout: sessionMilliseconds,
        heartbeatInterval: 2_000,
        maxBytesPerPartition: 2 << 20,
        maxBytes: 8 << 20,
        maxWaitTimeInMs: 1_000,
      },
      concurrency: partitions,
      take: (payload) => this.#takeBatch(payload),
      onOffsetOutOfRange,
      remedy: "To go on: restart the loader with OFFSET_OUT_OF_RANGE=earliest, then run with --full-refresh.",
      log,
    });
  }

  /** Joins the group and begins to take slices. */
  start(): Promise<void> {
    return this.#member.start();
  }

  /** Leaves the group; slices of open groups are left for the next loader. */
  stop(): Promise<void> {
    return this.#member.stop();
  }

  /** Whether slices are taken. */
  get isJoined(): boolean {
    return this.#member.isJoined;
  }

  /** Says which records were gone before they were read, if any. */
  get fault(): ServiceError | undefined {
    return this.#member.fault;
  }

  async #takeBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat, isRunning, isStale } = payload;
    const member = this.#member;
    const { positions } = member;
    const { abandonedAfterMilliseconds } = this.#options;
    const position = member.position(payload, () => ({ open: new OpenGroups(abandonedAfterMilliseconds) }));
    for (const message of batch.messages) {
      if (!isRunning() || isStale() || positions !== member.positions) return;
      const offset = BigInt(message.offset);
      if (await member.hasLost(payload, position.next ?? offset, offset)) return;
      await aliveDuring(payload, () => this.#take(batch.topic, message, position.open));
      position.next = offset + 1n;
      resolveOffset(message.offset);
      await heartbeat();
    }
    const safe = position.open.firstOffset() ?? position.next;
    if (safe === undefined || safe === position.committed || positions !== member.positions) return;
    await commitBatch(payload, safe);
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
    this.#options.bronze.retry(slice);
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
}

function readSlice({ headers, value, offset, timestamp }: KafkaMessage): Slice | undefined {
  const texts = Object.entries(headers ?? {}).map(([name, header]) => [name, header?.toString()]);
  const parsed = sliceHeaders.safeParse(Object.fromEntries(texts));
  if (!parsed.success || !value) return undefined;
  // A copy, because the value is a view that would keep the whole response of the broker in memory.
  return { ...parsed.data, offset: BigInt(offset), timestamp: Number(timestamp), value: new Uint8Array(value) };
}
