import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { Pool } from "undici";
import type { BoxClient } from "../openBox.ts";
import { setting } from "../settings.ts";
import { connectWarehouse } from "../warehouseClient.ts";
import { Draw, type DrawnRating } from "./draw.ts";
import { martCounts } from "./mart.ts";
import { type LiveReport, Tally } from "./tally.ts";

export interface LiveOptions {
  /** Ratings per second. */
  rate: number;
  /** Without it until the signal. */
  seconds?: number;
  /** Ratings in one request. */
  batch: number;
  seed: number;
  signal: AbortSignal;
  /** Called every ten seconds with what happened so far. */
  onProgress?: (report: LiveReport) => void;
}

/** One that was posted and whose movie's count has not risen yet. */
interface Awaited {
  sentAt: number;
  /** The movie's count before. */
  before: number;
  isAcknowledged: boolean;
}

const tickMilliseconds = 5;
const lookMilliseconds = 100;
const progressMilliseconds = 10_000;
const answerMilliseconds = 20_000;
const mostRequests = 400;
const connections = 32;
/** More are not sent while so many are not seen; memory stays bounded. */
const mostAwaited = 50_000;
/** What is not seen by then is missing: a loader that is started again needs less. */
const patienceMilliseconds = 60_000;
const patienceWhenStopped = 5_000;

/** Posts ratings at a rate and watches the mart for each of them. Nobody else may post ratings meanwhile. */
export async function driveLive(box: BoxClient, options: LiveOptions): Promise<LiveReport> {
  const [asking, watching] = [await connectWarehouse(box), await connectWarehouse(box)];
  const ingest = new Pool(setting(box.environment, "INGEST_URL"), {
    connections,
    headersTimeout: answerMilliseconds,
    bodyTimeout: answerMilliseconds,
  });
  try {
    const draw = await Draw.open(asking, options.seed);
    return await new Drive(options, { draw, watching, ingest, counts: await martCounts(watching) }).run();
  } finally {
    await ingest.destroy();
    await asking.end();
    await watching.end();
  }
}

interface DriveParts {
  draw: Draw;
  watching: pg.Client;
  ingest: Pool;
  /** What the mart counted before, by movie. */
  counts: Map<number, number>;
}

class Drive {
  readonly #options: LiveOptions;
  readonly #parts: DriveParts;
  readonly #tally = new Tally();
  readonly #awaited = new Map<number, Awaited>();
  readonly #requests = new Set<Promise<void>>();
  #isSending = true;

  constructor(options: LiveOptions, parts: DriveParts) {
    this.#options = options;
    this.#parts = parts;
  }

  async run(): Promise<LiveReport> {
    const { onProgress } = this.#options;
    const timer = setInterval(() => onProgress?.(this.#tally.report()), progressMilliseconds);
    const failure = new AbortController();
    const watch = this.#watch().catch((error) => failure.abort(error));
    try {
      await this.#sendAll(AbortSignal.any([this.#options.signal, failure.signal]));
    } finally {
      this.#tally.endSending();
      await Promise.allSettled(this.#requests);
      this.#isSending = false;
      clearInterval(timer);
      await watch;
    }
    failure.signal.throwIfAborted();
    await this.#countDoubled();
    return this.#tally.report();
  }

  /** Posts as many as are due, until the time is over. */
  async #sendAll(signal: AbortSignal): Promise<void> {
    const { rate, seconds = Number.POSITIVE_INFINITY, batch } = this.#options;
    const total = seconds * rate;
    const drawnAtOnce = Math.min(2_000, Math.max(batch * 2, Math.ceil(rate / 2)));
    let ready: DrawnRating[] = [];
    let drawing: Promise<DrawnRating[]> | undefined = this.#parts.draw.some(drawnAtOnce);
    const startedAt = performance.now();
    while (this.#tally.sent < total && !signal.aborted) {
      const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * rate)) - this.#tally.sent;
      const isLast = this.#tally.sent + due >= total;
      for (let left = due; left >= batch || (isLast && left > 0); left -= batch) {
        if (this.#requests.size >= mostRequests || this.#awaited.size >= mostAwaited) break;
        if (ready.length < batch) {
          ready = [...ready, ...((await drawing) ?? [])];
          drawing = undefined;
        }
        const some = ready.splice(0, Math.min(batch, left));
        if (some.length === 0) break;
        this.#post(some);
        if (ready.length < drawnAtOnce / 2) drawing ??= this.#parts.draw.some(drawnAtOnce);
      }
      drawing ??= this.#parts.draw.some(drawnAtOnce);
      await sleep(tickMilliseconds);
    }
    await drawing;
  }

  #post(some: readonly DrawnRating[]): void {
    const sentAt = performance.now();
    this.#tally.sent += some.length;
    for (const { tmdbId } of some) {
      const before = this.#parts.counts.get(tmdbId) ?? 0;
      this.#awaited.set(tmdbId, { sentAt, before, isAcknowledged: false });
    }
    const ratings = some.map(({ rating }) => rating);
    const body = JSON.stringify(this.#options.batch === 1 ? ratings[0] : ratings);
    const request = this.#ask(body).then((status) => {
      for (const { tmdbId } of some) this.#answer(tmdbId, sentAt, status);
    });
    this.#requests.add(request);
    void request.finally(() => this.#requests.delete(request));
  }

  /** The HTTP status of the answer, or `none`. */
  async #ask(body: string): Promise<string> {
    try {
      const response = await this.#parts.ingest.request({
        method: "POST",
        path: "/ratings",
        headers: { "content-type": "application/json" },
        body,
      });
      await response.body.dump();
      return String(response.statusCode);
    } catch {
      return "none";
    }
  }

  #answer(tmdbId: number, sentAt: number, status: string): void {
    const awaited = this.#awaited.get(tmdbId);
    if (status !== "202") {
      // It may be in Kafka all the same: its movie is not drawn again.
      this.#tally.refuse(status);
      this.#awaited.delete(tmdbId);
      return;
    }
    this.#tally.acknowledge(performance.now() - sentAt);
    if (awaited) awaited.isAcknowledged = true;
  }

  /** Looks at the mart until all that were acknowledged were seen. */
  async #watch(): Promise<void> {
    const { signal } = this.#options;
    let changedAt = performance.now();
    while (this.#isSending || this.#awaited.size > 0) {
      const lookedAt = performance.now();
      if (await this.#look()) changedAt = performance.now();
      const patience = signal.aborted ? patienceWhenStopped : patienceMilliseconds;
      if (!this.#isSending && performance.now() - changedAt > patience) return;
      await sleep(Math.max(1, lookMilliseconds - (performance.now() - lookedAt)));
    }
  }

  /** Answers whether anything new was seen. */
  async #look(): Promise<boolean> {
    const { watching, counts, draw } = this.#parts;
    // A rating may be seen before its answer has come; it is looked for once that says that Kafka has it.
    const ids = [...this.#awaited].flatMap(([tmdbId, { isAcknowledged }]) => (isAcknowledged ? [tmdbId] : []));
    if (ids.length === 0) return false;
    const found = await martCounts(watching, ids);
    const now = performance.now();
    let isNew = false;
    for (const [tmdbId, count] of found) {
      const awaited = this.#awaited.get(tmdbId);
      if (!awaited || count <= awaited.before) continue;
      isNew = true;
      this.#tally.see(now - awaited.sentAt);
      counts.set(tmdbId, awaited.before + 1);
      this.#awaited.delete(tmdbId);
      draw.free(tmdbId);
    }
    return isNew;
  }

  /** Compares the whole mart with what was there and what came. One that was refused may have come all the same. */
  async #countDoubled(): Promise<void> {
    const { watching, counts } = this.#parts;
    const { refused } = this.#tally.report();
    const doubtful = Object.values(refused).reduce((sum, count) => sum + count, 0);
    let surplus = 0;
    for (const [tmdbId, count] of await martCounts(watching)) {
      const expected = (counts.get(tmdbId) ?? 0) + (this.#awaited.has(tmdbId) ? 1 : 0);
      surplus += Math.max(0, count - expected);
    }
    this.#tally.doubled = Math.max(0, surplus - doubtful);
  }
}
