import { liveTopic } from "@boxoffice/contracts/liveRating";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type { Consumer, EachBatchPayload, Kafka } from "kafkajs";
import type pg from "pg";
import type { Logger } from "pino";
import { type OffsetFault, offsetFaultError, offsetsOutOfRange, topicEnds } from "./consumerOffsets.ts";
import { lastObjects, writeLiveDeadLetter, writeLiveObject } from "./liveBronze.ts";
import { LiveBuffer } from "./liveBuffer.ts";
import { type LiveRow, readLiveRow } from "./liveRow.ts";
import { LiveTable } from "./liveTable.ts";

export interface LiveConsumerOptions {
  kafka: Kafka;
  groupId: string;
  lake: ObjectStore;
  pool: pg.Pool;
  log: Logger;
  /** How long a rating may wait for its bronze object; a run that begins does not wait so long. */
  objectMilliseconds: number;
  onOffsetOutOfRange: "stop" | "earliest";
  topic?: string;
}

interface Position {
  partition: number;
  buffer: LiveBuffer;
  /** The offset to read next. */
  next: number;
  committed: number;
  writing?: Promise<void>;
}

/** A partition's ratings that wait for their object; more are not read before it is written. */
const mostRows = 20_000;
const lookMilliseconds = 1_000;
const restartMilliseconds = 5_000;

/**
 * Takes single ratings from their topic to the warehouse at once, and to bronze in objects of some size. Commits only
 * the ends of objects, so what is committed is in both.
 */
export class LiveConsumer {
  readonly #options: LiveConsumerOptions;
  readonly #topic: string;
  readonly #consumer: Consumer;
  readonly #table: LiveTable;
  readonly #faults = new Map<number, OffsetFault>();
  /** Replaced as a whole when the group rebalances: reading starts again from the committed offsets. */
  #assignment = new Map<number, Position>();
  #refusal: ServiceError | undefined;
  #isJoined = false;
  #isStopped = false;
  /** Set while the consumer runs. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LiveConsumerOptions) {
    const { kafka, groupId, topic = liveTopic, log } = options;
    this.#options = options;
    this.#topic = topic;
    this.#table = new LiveTable(options.pool);
    this.#consumer = kafka.consumer({
      groupId,
      // The shortest that brokers allow: so long ratings wait when a loader was killed.
      sessionTimeout: 6_000,
      heartbeatInterval: 1_000,
      maxBytesPerPartition: 512 << 10,
      maxWaitTimeInMs: 500,
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
      log.error({ reason: payload.error.message, restart: payload.restart }, "the live consumer failed");
      if (payload.restart || this.#isStopped) return;
      const restart = () =>
        this.#run().catch((error: Error) => log.error({ reason: error.message }, "the live consumer cannot start"));
      setTimeout(restart, restartMilliseconds);
    });
  }

  async start(): Promise<void> {
    const { kafka, groupId, lake, log } = this.#options;
    this.#refusal = await otherTopic(kafka, lake, this.#topic);
    if (this.#refusal) {
      log.error({ reason: this.#refusal.message }, "live ratings are not read");
      return;
    }
    for (const fault of await offsetsOutOfRange(kafka, groupId, [this.#topic])) this.#raise(fault);
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [this.#topic], fromBeginning: true });
    await this.#run();
    this.#timer = setInterval(() => this.#writeOld(), lookMilliseconds);
  }

  /** Writes what waits for bronze and leaves the group; the next loader has nothing to repeat. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer) {
      clearInterval(this.#timer);
      this.#consumer.pause([{ topic: this.#topic }]);
      await this.flush().catch((error: Error) => this.#warn(error, "ratings are left for the next loader to write"));
    }
    await this.#consumer.disconnect();
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  /** Says which ratings were gone before they were read, if any. */
  get fault(): ServiceError | undefined {
    const [first] = this.#faults.values();
    if (this.#refusal) return this.#refusal;
    return (
      first &&
      offsetFaultError(first, "To go on with those there are: restart the loader with OFFSET_OUT_OF_RANGE=earliest.")
    );
  }

  /** Writes everything that was read to bronze. */
  async flush(): Promise<void> {
    await Promise.all([...this.#assignment.values()].map((position) => this.#write(position)));
  }

  #run(): Promise<void> {
    return this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: (payload) => this.#takeBatch(payload),
    });
  }

  /** When it throws the batch comes again, so whatever it did must bear repetition. */
  async #takeBatch({ batch, pause, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<void> {
    const { lake, log } = this.#options;
    const { partition, messages } = batch;
    const [first] = messages;
    const assignment = this.#assignment;
    if (!first || !isRunning() || isStale()) return;
    const begin = Number(first.offset);
    const position = assignment.get(partition) ?? newPosition(partition, begin);
    assignment.set(partition, position);
    if (begin > position.next)
      this.#raise({ topic: this.#topic, partition, expected: String(position.next), found: first.offset });
    const fault = this.#faults.get(partition);
    if (fault) {
      // kafkajs has moved the committed offset to the beginning; put back, a restart sees the loss again.
      await this.#commit(partition, Number(fault.expected));
      pause();
      return;
    }

    if (position.buffer.size >= mostRows) await this.#write(position);
    const rows: LiveRow[] = [];
    for (const message of messages) {
      const read = readLiveRow(message);
      if ("row" in read) rows.push(read.row);
      else {
        const offset = Number(message.offset);
        log.error({ partition, offset, reason: read.reason }, "not a rating");
        await writeLiveDeadLetter(lake, { partition, offset, reason: read.reason, raw: String(message.value) });
      }
    }
    await this.#table.upsert({ partition, rows });
    if (assignment !== this.#assignment) return;
    position.buffer.add(rows, Date.now());
    position.next = Number(batch.lastOffset()) + 1;
    resolveOffset(batch.lastOffset());
    await heartbeat();
  }

  /** Writes objects that have waited long enough, beside what is being read. */
  #writeOld(): void {
    const before = Date.now() - this.#options.objectMilliseconds;
    for (const position of this.#assignment.values()) {
      const { buffer, committed } = position;
      const isOld = buffer.since !== undefined && buffer.since <= before;
      if (isOld || committed < buffer.first)
        this.#write(position).catch((error: Error) => this.#warn(error, "live ratings are not in bronze yet"));
    }
  }

  #write(position: Position): Promise<void> {
    position.writing ??= this.#writeAll(position).finally(() => {
      delete position.writing;
    });
    return position.writing;
  }

  async #writeAll(position: Position): Promise<void> {
    const { lake, log } = this.#options;
    const { partition, buffer } = position;
    const last = buffer.last ?? -1;
    while (buffer.first <= last) {
      const { first } = buffer;
      const rows = buffer.rows();
      const { created, end } = await writeLiveObject(lake, partition, first, rows);
      log.info({ partition, first, end, rows: rows.length, created }, "live ratings in bronze");
      buffer.endObject(end);
    }
    if (position.committed >= buffer.first || this.#assignment.get(partition) !== position) return;
    const end = buffer.first;
    await this.#commit(partition, end);
    position.committed = end;
  }

  async #commit(partition: number, offset: number): Promise<void> {
    await this.#consumer.commitOffsets([{ topic: this.#topic, partition, offset: String(offset) }]);
  }

  #raise(fault: OffsetFault): void {
    this.#options.log.error(fault, "offset out of range: ratings were gone before they were read");
    if (this.#options.onOffsetOutOfRange === "stop") this.#faults.set(fault.partition, fault);
  }

  #warn(error: Error, what: string): void {
    this.#options.log.warn({ reason: error.message }, what);
  }
}

function newPosition(partition: number, first: number): Position {
  return { partition, buffer: new LiveBuffer(first), next: first, committed: first };
}

/** An error when bronze has ratings from behind the topic's end: it is not the topic they came from. */
async function otherTopic(kafka: Kafka, lake: ObjectStore, topic: string): Promise<ServiceError | undefined> {
  const ends = await topicEnds(kafka, topic);
  const begins = await lastObjects(lake);
  const partition = begins.findIndex((offset, at) => offset !== undefined && offset >= (ends[at] ?? 0));
  if (partition < 0) return undefined;
  return new ServiceError(
    "other_topic",
    `bronze has live ratings of partition ${partition} from offset ${begins[partition]} on, but the topic ${topic} ends ` +
      `at ${ends[partition] ?? 0}: Kafka was emptied, and its offsets begin again. Restore Kafka's data, or begin anew with ./box reset`,
  );
}
