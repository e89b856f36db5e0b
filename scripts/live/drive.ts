import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { LiveRating } from "@boxoffice/contracts/liveRating";
import { Pool } from "undici";
import type { BoxClient } from "../openBox.ts";
import { setting } from "../settings.ts";
import { connectWarehouse } from "../warehouseClient.ts";
import { Draw, type DrawnRating } from "./draw.ts";
import { martCounts, placesOfKnown } from "./mart.ts";
import { Pace } from "./pace.ts";
import { Stock } from "./stock.ts";
import { type LiveReport, type Obstacle, Tally } from "./tally.ts";

export interface LiveOptions {
  /** Ratings per second. */
  rate: number;
  /** Sending ends by the clock after so many, whatever could be sent; without it by the signal. */
  seconds?: number;
  /** Ratings in one request. */
  batch: number;
  seed: number;
  signal: AbortSignal;
  /** After sending has ended: when none was seen for so long, the others are missing. */
  patienceMilliseconds?: number;
  /** Called every ten seconds with what happened so far. */
  onProgress?: (report: LiveReport) => void;
}

/** A rating as it was posted, and the movie that it is of: its user, movie and time tell it from any other. */
interface Sent {
  tmdbId: number;
  rating: LiveRating;
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
/** Without one that is seen for so long the others are missing; a loader that is started again needs less. */
const patience = 60_000;
const patienceWhenStopped = 5_000;
/** Of more ratings of which it is not known whether they came, the oldest are forgotten; memory stays bounded. */
const mostUnsure = 100_000;
/** So many times the patience is waited at most, though some are seen now and then. */
const mostPatiences = 5;

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
    const counts = (tmdbIds?: readonly number[]) => martCounts(watching, tmdbIds);
    const placesOf = (ratings: readonly LiveRating[]) => placesOfKnown(watching, ratings);
    return await drive({ draw, ingest, counts, placesOfKnown: placesOf }, options);
  } finally {
    await ingest.destroy();
    await asking.end();
    await watching.end();
  }
}

/** What a drive uses of a box. */
export interface DriveParts {
  draw: Draw;
  ingest: Pool;
  /** How many ratings the mart counts of each movie, by TMDB id; of all that have any, or of those asked for. */
  counts: (tmdbIds?: readonly number[]) => Promise<Map<number, number>>;
  /** The places in a list of ratings, by user, movie and time, of those that the warehouse has. */
  placesOfKnown: (ratings: readonly LiveRating[]) => Promise<Set<number>>;
}

/** The same with these parts of a box, which stay the caller's to close. */
export async function drive(parts: DriveParts, options: LiveOptions): Promise<LiveReport> {
  return new Drive(parts, options, await parts.counts()).run();
}

class Drive {
  readonly #parts: DriveParts;
  readonly #options: LiveOptions;
  readonly #patience: number;
  /** What the mart must count of a movie without those that are awaited or unsure. */
  readonly #counts: Map<number, number>;
  readonly #tally = new Tally();
  readonly #awaited = new Map<number, Awaited>();
  /** When the rating of a movie failed that may be in Kafka all the same; the oldest first. */
  readonly #doubtful = new Map<number, number>();
  /** The ratings of which only the warehouse can tell whether they came; the oldest first. */
  readonly #unsure = new Set<Sent>();
  readonly #requests = new Set<Promise<void>>();
  readonly #giveUp = new AbortController();
  #endedAt: number | undefined;

  constructor(parts: DriveParts, options: LiveOptions, counts: Map<number, number>) {
    this.#parts = parts;
    this.#options = options;
    this.#patience = options.patienceMilliseconds ?? patience;
    this.#counts = counts;
    setMaxListeners(0, this.#giveUp.signal);
  }

  async run(): Promise<LiveReport> {
    const { onProgress, signal } = this.#options;
    const timer = setInterval(() => onProgress?.(this.#tally.report()), progressMilliseconds);
    const failure = new AbortController();
    const watch = this.#watch().catch((error) => failure.abort(error));
    try {
      await this.#sendAll(AbortSignal.any([signal, failure.signal]));
    } finally {
      this.#tally.endSending();
      await this.#endRequests();
      this.#endedAt = performance.now();
      await watch;
      clearInterval(timer);
    }
    failure.signal.throwIfAborted();
    await this.#countDoubled();
    return this.#tally.report();
  }

  /** Posts what is due until the time is over; what could not be posted in time is left out. */
  async #sendAll(signal: AbortSignal): Promise<void> {
    const { rate, seconds = Number.POSITIVE_INFINITY, batch } = this.#options;
    const pace = new Pace({ rate, seconds, batch });
    const stock = new Stock(this.#parts.draw, Math.min(2_000, Math.max(batch * 2, Math.ceil(rate / 2))));
    await stock.fill();
    this.#tally.beginSending();
    const startedAt = performance.now();
    let obstacle: Obstacle | undefined;
    while (!signal.aborted) {
      const elapsed = (performance.now() - startedAt) / 1000;
      this.#leaveOut(obstacle, pace, pace.overdue(elapsed));
      obstacle = await this.#sendDue(pace, stock, elapsed);
      if (pace.isOver(elapsed)) return this.#leaveOut(obstacle, pace, pace.due(elapsed));
      await sleep(tickMilliseconds);
    }
  }

  /** Answers what stood in the way, if not all could be posted. */
  async #sendDue(pace: Pace, stock: Stock, elapsed: number): Promise<Obstacle | undefined> {
    const { batch } = this.#options;
    const least = pace.isOver(elapsed) ? 1 : batch;
    for (let due = pace.due(elapsed); due >= least; due = pace.due(elapsed)) {
      if (this.#requests.size >= mostRequests) return "unanswered";
      if (this.#awaited.size >= mostAwaited) return "unseen";
      const some = await stock.take(Math.min(batch, due));
      if (some.length === 0) {
        await this.#freeDoubtful();
        return "no_movie_free";
      }
      this.#post(some);
      pace.settle(some.length);
    }
    return undefined;
  }

  #leaveOut(obstacle: Obstacle = "late", pace: Pace, ratings: number): void {
    this.#tally.leaveOut(obstacle, ratings);
    pace.settle(ratings);
  }

  #post(some: readonly DrawnRating[]): void {
    const sentAt = performance.now();
    this.#tally.sent += some.length;
    const timestamp = Math.floor(Date.now() / 1000);
    const sent = some.map(({ tmdbId, rating }) => ({ tmdbId, rating: { ...rating, timestamp } }));
    for (const { tmdbId } of sent) {
      const before = this.#counts.get(tmdbId) ?? 0;
      this.#awaited.set(tmdbId, { sentAt, before, isAcknowledged: false });
    }
    const ratings = sent.map(({ rating }) => rating);
    const body = JSON.stringify(this.#options.batch === 1 ? ratings[0] : ratings);
    const request = this.#ask(body).then((status) => {
      for (const one of sent) this.#answer(one, sentAt, status);
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
        signal: this.#giveUp.signal,
      });
      await response.body.dump();
      return String(response.statusCode);
    } catch {
      return "none";
    }
  }

  #answer(sent: Sent, sentAt: number, status: string): void {
    const { tmdbId } = sent;
    const now = performance.now();
    if (status === "202") {
      this.#tally.acknowledge(now - sentAt);
      const awaited = this.#awaited.get(tmdbId);
      if (awaited) awaited.isAcknowledged = true;
      return;
    }
    this.#tally.refuse(status);
    this.#awaited.delete(tmdbId);
    // Of a request that was wrong, or came too soon, nothing was taken. After another error it may be in Kafka.
    if (/^4\d\d$/.test(status)) this.#parts.draw.free(tmdbId);
    else {
      this.#doubtful.set(tmdbId, now);
      this.#doubt(sent);
    }
  }

  #doubt(sent: Sent): void {
    this.#unsure.add(sent);
    const [oldest] = this.#unsure;
    if (oldest && this.#unsure.size > mostUnsure) this.#unsure.delete(oldest);
  }

  /**
   * Lets the movies be drawn again whose rating failed long ago, with a count for it where it came. Only when no other
   * is free: one that comes later still would be taken for the next rating of its movie.
   */
  async #freeDoubtful(): Promise<void> {
    const before = performance.now() - this.#patience;
    const old = new Set<number>();
    for (const [tmdbId, failedAt] of this.#doubtful) {
      if (failedAt >= before) break;
      old.add(tmdbId);
    }
    if (old.size === 0) return;
    await this.#countUnsure([...this.#unsure].filter(({ tmdbId }) => old.has(tmdbId)));
    for (const tmdbId of old) {
      this.#doubtful.delete(tmdbId);
      this.#parts.draw.free(tmdbId);
    }
  }

  /** Counts those of some unsure ratings that came, each once. */
  async #countUnsure(some: readonly Sent[]): Promise<void> {
    if (some.length === 0) return;
    const known = await this.#parts.placesOfKnown(some.map(({ rating }) => rating));
    for (const [place, sent] of some.entries()) {
      if (!known.has(place)) continue;
      this.#counts.set(sent.tmdbId, (this.#counts.get(sent.tmdbId) ?? 0) + 1);
      this.#unsure.delete(sent);
    }
  }

  /** Waits for the answers, and not for long. */
  async #endRequests(): Promise<void> {
    const wait = this.#options.signal.aborted ? patienceWhenStopped : answerMilliseconds;
    const timer = setTimeout(() => this.#giveUp.abort(), Math.min(wait, this.#patience));
    await Promise.allSettled(this.#requests);
    clearTimeout(timer);
  }

  /** Looks at the mart until all that were acknowledged were seen, or the patience is over. */
  async #watch(): Promise<void> {
    let seenAt = performance.now();
    while (!this.#isWatchOver(seenAt)) {
      const lookedAt = performance.now();
      if (await this.#look()) seenAt = performance.now();
      await sleep(Math.max(1, lookMilliseconds - (performance.now() - lookedAt)));
    }
  }

  #isWatchOver(seenAt: number): boolean {
    if (this.#endedAt === undefined) return false;
    if (this.#awaited.size === 0) return true;
    const now = performance.now();
    const wait = this.#options.signal.aborted ? Math.min(patienceWhenStopped, this.#patience) : this.#patience;
    return now - Math.max(seenAt, this.#endedAt) > wait || now - this.#endedAt > mostPatiences * this.#patience;
  }

  /** Answers whether anything new was seen. */
  async #look(): Promise<boolean> {
    // A rating may be seen before its answer has come; it is looked for once that says that Kafka has it.
    const ids = [...this.#awaited].flatMap(([tmdbId, { isAcknowledged }]) => (isAcknowledged ? [tmdbId] : []));
    if (ids.length === 0) return false;
    const found = await this.#parts.counts(ids);
    const now = performance.now();
    let isNew = false;
    for (const [tmdbId, count] of found) {
      const awaited = this.#awaited.get(tmdbId);
      if (!awaited || count <= awaited.before) continue;
      isNew = true;
      this.#tally.see(now - awaited.sentAt);
      this.#counts.set(tmdbId, awaited.before + 1);
      this.#awaited.delete(tmdbId);
      this.#parts.draw.free(tmdbId);
    }
    return isNew;
  }

  /** Compares the whole mart with what was there and what came, rating by rating where no answer told. */
  async #countDoubled(): Promise<void> {
    const found = await this.#parts.counts();
    await this.#countUnsure([...this.#unsure]);
    for (const [tmdbId, count] of found) {
      const expected = (this.#counts.get(tmdbId) ?? 0) + (this.#awaited.has(tmdbId) ? 1 : 0);
      this.#tally.doubled += Math.max(0, count - expected);
    }
  }
}
