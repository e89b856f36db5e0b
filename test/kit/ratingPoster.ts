import { setTimeout as sleep } from "node:timers/promises";
import type { LiveRating } from "@boxoffice/contracts/liveRating";

export interface PosterOptions {
  /** In one request. */
  batch: number;
  /** From one request to the next. */
  intervalMilliseconds: number;
  /** An answer that takes longer counts as lost. */
  answerMilliseconds: number;
  /** After the last new request: what is not acknowledged then is an error. */
  patienceMilliseconds: number;
}

/** No new one begins while so many requests are not acknowledged; memory stays bounded. */
const mostRequests = 50;
const againMilliseconds = 500;
/** No longer is waited, whatever Retry-After says. */
const mostWaitMilliseconds = 5_000;

/** Posts ratings as a careful client does: each request goes out again, with the same content, until it is acknowledged. */
export class RatingPoster {
  readonly #url: string;
  readonly #ratings: Iterator<LiveRating, never>;
  readonly #options: PosterOptions;
  readonly #requests = new Set<Promise<void>>();
  #deadline = Number.POSITIVE_INFINITY;
  #failure: unknown;
  /** The ratings of requests that were answered with 202. */
  readonly acknowledged: LiveRating[] = [];
  /** How many times a request was refused for the moment, by 429 or 503. */
  refused = 0;
  /** How many times no answer came, so that nobody knows whether the ratings were taken. */
  unanswered = 0;

  /** `url` is that of `POST /ratings`. */
  constructor(url: string, ratings: Iterator<LiveRating, never>, options: PosterOptions) {
    this.#url = url;
    this.#ratings = ratings;
    this.#options = options;
  }

  /**
   * Posts until the signal; resolves when every rating that went out is acknowledged. Throws when one is not in time, and
   * on an answer that no client should see.
   */
  async post(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#failure === undefined) {
      if (this.#requests.size < mostRequests) this.#begin();
      await sleep(this.#options.intervalMilliseconds);
    }
    this.#deadline = Date.now() + this.#options.patienceMilliseconds;
    await Promise.all(this.#requests);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #begin(): void {
    const ratings = Array.from({ length: this.#options.batch }, () => this.#ratings.next().value);
    const request = this.#deliver(ratings)
      .catch((error) => {
        this.#failure ??= error;
      })
      .finally(() => this.#requests.delete(request));
    this.#requests.add(request);
  }

  async #deliver(ratings: readonly LiveRating[]): Promise<void> {
    const body = JSON.stringify(ratings);
    for (let wait = await this.#send(body); wait !== undefined; wait = await this.#send(body)) {
      if (Date.now() > this.#deadline) throw new Error(`${ratings.length} ratings are not acknowledged: ${body}`);
      await sleep(wait);
    }
    this.acknowledged.push(...ratings);
  }

  /** Answers after how many milliseconds it must go out again; undefined when it is acknowledged. */
  async #send(body: string): Promise<number | undefined> {
    const answer = await this.#ask(body);
    if (answer === undefined) {
      this.unanswered += 1;
      return againMilliseconds;
    }
    const { status, said, retryAfter } = answer;
    if (status === 202) return undefined;
    if (status !== 429 && status !== 503) throw new Error(`POST /ratings was answered with ${status}: ${said}`);
    this.refused += 1;
    return Math.min(retryAfter * 1000 || againMilliseconds, mostWaitMilliseconds);
  }

  /** Undefined when no answer came, or not all of it. */
  async #ask(body: string): Promise<{ status: number; said: string; retryAfter: number } | undefined> {
    try {
      const signal = AbortSignal.timeout(this.#options.answerMilliseconds);
      const headers = { "content-type": "application/json" };
      const response = await fetch(this.#url, { method: "POST", headers, body, signal });
      const retryAfter = Number(response.headers.get("retry-after"));
      return { status: response.status, said: await response.text(), retryAfter };
    } catch {
      return undefined;
    }
  }
}
