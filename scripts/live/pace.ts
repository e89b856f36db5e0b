/** What has been due for longer is not caught up with: after a stall it would come as one flood. */
const catchUpSeconds = 10;

export interface PaceOptions {
  /** Ratings per second. */
  rate: number;
  /** Infinity where there is no end. */
  seconds: number;
  /** Ratings in one request: so many gather before they are sent. */
  batch: number;
}

/** How many ratings are due by a clock that waits for nobody. */
export class Pace {
  readonly #options: PaceOptions;
  #settled = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Whether the time is over after so many seconds. */
  isOver(elapsed: number): boolean {
    return elapsed >= this.#options.seconds;
  }

  /** Those of the first `elapsed` seconds that are not settled. */
  due(elapsed: number): number {
    const { rate, seconds } = this.#options;
    return Math.floor(rate * Math.min(elapsed, seconds)) - this.#settled;
  }

  /** Those that have been due for too long to be sent still. */
  overdue(elapsed: number): number {
    const { rate, batch } = this.#options;
    return Math.max(0, this.due(elapsed) - Math.ceil(rate * catchUpSeconds) - batch);
  }

  /** So many were sent, or will not be. */
  settle(ratings: number): void {
    this.#settled += ratings;
  }
}
