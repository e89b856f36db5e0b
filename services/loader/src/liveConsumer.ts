import { liveTopic } from "@boxoffice/contracts/liveRating";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type { EachBatchPayload, Kafka } from "kafkajs";
import type pg from "pg";
import type { Logger } from "pino";
import { topicEnds } from "./consumerOffsets.ts";
import { hearFlushRequests } from "./flushRequests.ts";
import { aliveDuring, GroupMember } from "./groupMember.ts";
import { liveEnds, writeLiveDeadLetter, writeLiveObject } from "./liveBronze.ts";
import { LiveBuffer } from "./liveBuffer.ts";
import { type CompactionLimits, compactionLimits, compactLive } from "./liveCompaction.ts";
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
  compaction?: CompactionLimits;
}

interface Position {
  partition: number;
  buffer: LiveBuffer;
  /** The offset to read next. */
  next: number;
  committed: number;
  writing?: Promise<void>;
  /** Its objects in bronze that are not compacted; undefined before they were counted. */
  single: number | undefined;
}

/** A partition's ratings that wait for their object; more are not read before it is written. */
const mostRows = 20_000;
const lookMilliseconds = 1_000;

/**
 * Takes single ratings from their topic to the warehouse at once, and to bronze in objects of some size. Commits only
 * the ends of objects, so what is committed is in both.
 */
export class LiveConsumer {
  readonly #options: LiveConsumerOptions;
  readonly #topic: string;
  readonly #member: GroupMember<Position>;
  readonly #table: LiveTable;
  #refusal: ServiceError | undefined;
  #joined: { positions: ReadonlyMap<string, Position>; isOther: Promise<boolean> } | undefined;
  /** Set while the consumer runs. */
  #timer: NodeJS.Timeout | undefined;
  readonly #hearing = new AbortController();
  /** One partition after the other, as each takes memory. */
  #compaction: Promise<void> = Promise.resolve();

  constructor(options: LiveConsumerOptions) {
    const { kafka, groupId, topic = liveTopic, onOffsetOutOfRange, log } = options;
    this.#options = options;
    this.#topic = topic;
    this.#table = new LiveTable(options.pool);
    this.#member = new GroupMember({
      kafka,
      topics: [topic],
      consumer: {
        groupId,
        // The shortest that brokers allow: so long ratings wait when a loader was killed.
        sessionTimeout: 6_000,
        heartbeatInterval: 1_000,
        maxBytesPerPartition: 512 << 10,
        maxWaitTimeInMs: 500,
      },
      concurrency: 4,
      take: (payload) => this.#takeBatch(payload),
      onOffsetOutOfRange,
      remedy: "To go on with those there are: restart the loader with OFFSET_OUT_OF_RANGE=earliest.",
      log,
    });
  }

  /** Joins the group and begins to read, unless bronze has ratings of another topic; `fault` says so then. */
  async start(): Promise<void> {
    if (await this.#isOtherTopic()) return;
    await this.#member.start();
    this.#timer = setInterval(() => this.#writeOld(), lookMilliseconds);
    const { pool, log } = this.#options;
    // Not waited for at the end: it may be connecting to a warehouse that is away.
    void hearFlushRequests({
      pool,
      onRequest: (ends) => this.#writeRequested(ends),
      log,
      signal: this.#hearing.signal,
    });
  }

  /** Writes what waits for bronze and leaves the group; the next loader has nothing to repeat. */
  async stop(): Promise<void> {
    if (this.#timer) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#hearing.abort();
      this.#member.pause();
      await this.flush().catch((error: Error) => this.#warn(error, "ratings are left for the next loader to write"));
    }
    await this.#member.stop();
    await this.#compaction;
  }

  /** Whether ratings are read. */
  get isJoined(): boolean {
    return this.#member.isJoined;
  }

  /** Says why ratings are not read, or which were gone before they were read, if any. */
  get fault(): ServiceError | undefined {
    return this.#refusal ?? this.#member.fault;
  }

  /** Writes what was read to bronze: all of it, but nothing of partitions where bronze reaches the ends that are given. */
  async flush(ends: readonly number[] = []): Promise<void> {
    const isShort = ({ partition, buffer }: Position) => buffer.first < (ends[partition] ?? Number.POSITIVE_INFINITY);
    const short = [...this.#member.positions.values()].filter(isShort);
    await Promise.all(short.map((position) => this.#write(position)));
  }

  /** Whether Kafka was emptied, so that no more is to be read. */
  async #isOtherTopic(): Promise<boolean> {
    const { kafka, lake, log } = this.#options;
    if (this.#refusal) return true;
    this.#refusal = await otherTopic(kafka, lake, this.#topic);
    if (!this.#refusal) return false;
    log.error({ reason: this.#refusal.message }, "live ratings are not read");
    return true;
  }

  /** The same, found out once for each time that the group joins: the lake takes long to list. */
  #joinedOtherTopic(positions: ReadonlyMap<string, Position>): Promise<boolean> | boolean {
    if (this.#refusal) return true;
    if (this.#joined?.positions === positions) return this.#joined.isOther;
    const isOther = this.#isOtherTopic();
    this.#joined = { positions, isOther };
    // What could not be found out is asked again when the batch comes again.
    isOther.catch(() => {
      this.#joined = undefined;
    });
    return isOther;
  }

  async #takeBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat, isRunning, isStale } = payload;
    const { lake, log } = this.#options;
    const { partition, messages } = batch;
    const [first] = messages;
    const member = this.#member;
    const { positions } = member;
    if (!first || !isRunning() || isStale()) return;
    const begin = Number(first.offset);
    const known = member.known(payload);
    // Kafka may be emptied while the loader runs: its offsets begin again, after the group has joined anew or at once.
    const isSuspect = known !== undefined && begin < known.next;
    const isOther = await aliveDuring(payload, async () => {
      return (await this.#joinedOtherTopic(positions)) || (isSuspect && (await this.#isOtherTopic()));
    });
    if (isOther) {
      payload.pause();
      return;
    }
    if (positions !== member.positions) return;
    const position = member.position(payload, () => newPosition(partition, begin));
    if (await member.hasLost(payload, BigInt(position.next), BigInt(begin))) return;

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
    if (positions !== member.positions) return;
    position.buffer.add(rows, Date.now());
    position.next = Number(batch.lastOffset()) + 1;
    resolveOffset(batch.lastOffset());
    await heartbeat();
  }

  /** A run waits for what bronze lacks; whoever fixes its inputs asks again while it does. */
  #writeRequested(ends: readonly number[]): void {
    this.flush(ends).catch((error: Error) =>
      this.#warn(error, "live ratings that a run waits for are not in bronze yet"),
    );
  }

  /** Writes objects that have waited long enough, beside what is being read. */
  #writeOld(): void {
    const before = Date.now() - this.#options.objectMilliseconds;
    for (const position of this.#member.positions.values()) {
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
      if (position.single !== undefined) position.single += 1;
    }
    if (position.committed >= buffer.first || ![...this.#member.positions.values()].includes(position)) return;
    const end = buffer.first;
    await this.#member.commit(this.#topic, partition, BigInt(end));
    position.committed = end;
    this.#compact(position);
  }

  /** Beside what is being read; what fails is done after the next object. */
  #compact(position: Position): void {
    const { lake, log, compaction = compactionLimits } = this.#options;
    const isDue = () => position.single === undefined || position.single >= compaction.objects;
    if (!isDue()) return;
    this.#compaction = this.#compaction.then(async () => {
      if (!isDue() || !this.#timer) return;
      try {
        position.single = await compactLive(lake, position.partition, log, compaction);
      } catch (error) {
        this.#warn(error as Error, "live ratings are not compacted yet");
      }
    });
  }

  #warn(error: Error, what: string): void {
    this.#options.log.warn({ reason: error.message }, what);
  }
}

function newPosition(partition: number, first: number): Position {
  return { partition, buffer: new LiveBuffer(first), next: first, committed: first, single: undefined };
}

/** An error when bronze has ratings from behind the topic's end: it is not the topic they came from. */
async function otherTopic(kafka: Kafka, lake: ObjectStore, topic: string): Promise<ServiceError | undefined> {
  const held = await liveEnds(lake);
  // Asked for after the lake: the topic grows meanwhile, and so does what other loaders write of it.
  const ends = await topicEnds(kafka, topic);
  const partition = held.findIndex((end, at) => (end ?? 0) > (ends[at] ?? 0));
  if (partition < 0) return undefined;
  return new ServiceError(
    "other_topic",
    `bronze has live ratings of partition ${partition} up to offset ${held[partition]}, but the topic ${topic} ends ` +
      `at ${ends[partition] ?? 0}: Kafka was emptied, and its offsets begin again. Restore Kafka's data, or begin anew with ./box reset`,
  );
}
