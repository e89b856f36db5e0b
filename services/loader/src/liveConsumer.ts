import { epochBegin, type LiveEpoch } from "@boxoffice/contracts/liveEpoch";
import { liveTopic } from "@boxoffice/contracts/liveRating";
import { partitions } from "@boxoffice/contracts/slice";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type { ServiceError } from "@boxoffice/platform/serviceError";
import type { EachBatchPayload, Kafka } from "kafkajs";
import type pg from "pg";
import type { Logger } from "pino";
import { hearFlushRequests } from "./flushRequests.ts";
import { aliveDuring, GroupMember } from "./groupMember.ts";
import { writeLiveDeadLetter, writeLiveObject } from "./liveBronze.ts";
import { LiveBuffer } from "./liveBuffer.ts";
import { type CompactionLimits, compactionLimits, compactLive } from "./liveCompaction.ts";
import { currentEpoch } from "./liveEpoch.ts";
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

/** Where a partition is read; its offsets are positions of the lane, but for what is asked of Kafka. */
interface Position {
  partition: number;
  /** The position of Kafka's offset 0. */
  begin: number;
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
  #joined: { positions: ReadonlyMap<string, Position>; epoch: Promise<LiveEpoch> } | undefined;
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
      concurrency: partitions,
      take: (payload) => this.#takeBatch(payload),
      onOffsetOutOfRange,
      remedy: "To go on with those there are: restart the loader with OFFSET_OUT_OF_RANGE=earliest.",
      log,
    });
  }

  /** Joins the group and begins to read. */
  async start(): Promise<void> {
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

  /** Says which ratings were gone before they were read, if any. */
  get fault(): ServiceError | undefined {
    return this.#member.fault;
  }

  /** Writes what was read to bronze: all of it, but nothing of partitions where bronze reaches the ends that are given. */
  async flush(ends: readonly number[] = []): Promise<void> {
    const isShort = ({ partition, buffer }: Position) => buffer.first < (ends[partition] ?? Number.POSITIVE_INFINITY);
    const short = [...this.#member.positions.values()].filter(isShort);
    await Promise.all(short.map((position) => this.#write(position)));
  }

  /** The topic's epoch, found out once for each time that the group joins: the lake takes long to list. */
  #epochOf(positions: ReadonlyMap<string, Position>): Promise<LiveEpoch> {
    if (this.#joined?.positions === positions) return this.#joined.epoch;
    const { kafka, lake, pool, log } = this.#options;
    const epoch = currentEpoch({ kafka, lake, pool, topic: this.#topic, log });
    this.#joined = { positions, epoch };
    // What could not be found out is asked again when the batch comes again.
    epoch.catch(() => {
      this.#joined = undefined;
    });
    return epoch;
  }

  async #takeBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat, isRunning, isStale } = payload;
    const { partition } = batch;
    const [first] = batch.messages;
    const member = this.#member;
    const { positions } = member;
    if (!first || !isRunning() || isStale()) return;
    const known = member.known(payload);
    // Kafka may be emptied while the loader runs: its offsets begin again, after the group has joined anew or at once.
    const isSuspect = known !== undefined && known.begin + Number(first.offset) < known.next;
    if (isSuspect) this.#joined = undefined;
    const begin = epochBegin(await aliveDuring(payload, () => this.#epochOf(positions)));
    if (positions !== member.positions) return;
    if (known && known.begin !== begin) {
      // What was read of the topic before is in the warehouse, and since the new epoch in bronze.
      member.beginAnew(payload);
      return;
    }
    const position = member.position(payload, () => newPosition(partition, begin, Number(first.offset)));
    if (await member.hasLost(payload, BigInt(position.next - begin), BigInt(first.offset))) return;

    if (position.buffer.size >= mostRows) await aliveDuring(payload, () => this.#write(position));
    const rows = await aliveDuring(payload, () => this.#ratingsIn(payload, begin));
    await this.#table.upsert({ partition, rows });
    if (positions !== member.positions) return;
    position.buffer.add(rows, Date.now());
    position.next = begin + Number(batch.lastOffset()) + 1;
    resolveOffset(batch.lastOffset());
    await heartbeat();
  }

  /** The ratings of a batch, whose epoch begins at a position. What is none goes to the lake as a dead letter. */
  async #ratingsIn({ batch: { partition, messages } }: EachBatchPayload, begin: number): Promise<LiveRow[]> {
    const { lake, log } = this.#options;
    const rows: LiveRow[] = [];
    for (const message of messages) {
      const read = readLiveRow(message, begin);
      if ("row" in read) rows.push(read.row);
      else {
        const offset = begin + Number(message.offset);
        log.error({ partition, offset, reason: read.reason }, "not a rating");
        await writeLiveDeadLetter(lake, { partition, offset, reason: read.reason, raw: String(message.value) });
      }
    }
    return rows;
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
    await this.#member.commit(this.#topic, partition, BigInt(end - position.begin));
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

function newPosition(partition: number, begin: number, offset: number): Position {
  const first = begin + offset;
  return { partition, begin, buffer: new LiveBuffer(first), next: first, committed: first, single: undefined };
}
