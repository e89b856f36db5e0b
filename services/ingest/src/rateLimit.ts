/**
 * A token bucket: so many per second on average, and at most `burst` at once. Whatever is taken beyond what is there
 * is refused as a whole.
 */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filledAt = now();
  }

  /** Takes some; answers 0, or the seconds after which as many are there. */
  take(count: number): number {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
    if (count > this.#tokens) return (count - this.#tokens) / this.#perSecond;
    this.#tokens -= count;
    return 0;
  }
}
