import type { Random32 } from "../random32.ts";
import { Quantiles } from "./quantiles.ts";

/** The days the published file covers, from the first to the last second, in seconds since 1970 UTC. */
export const firstSecond = Date.UTC(1995, 0, 9) / 1000;
export const lastSecond = Date.UTC(2017, 7, 5) / 1000 - 1;

const secondsPerRating = 25;
const ratingsPerSession = 8;
const mostSessions = 64;

/** When a user rates: half of the users in one session, the others in some, spread over days or years. */
export class Sessions {
  readonly #signUps: Quantiles;
  readonly #starts = new Uint32Array(mostSessions);
  #count = 1;
  #length = 1;

  /** `firstTimes` are users' first ratings, in seconds; they are stretched to the time the published file covers. */
  constructor(firstTimes: readonly number[]) {
    const first = firstTimes.reduce((least, time) => Math.min(least, time));
    const last = firstTimes.reduce((most, time) => Math.max(most, time));
    const stretch = last > first ? (lastSecond - firstSecond) / (last - first) : 0;
    this.#signUps = new Quantiles(firstTimes.map((time) => firstSecond + Math.floor((time - first) * stretch)));
  }

  /** Draws the sessions of the next user, who gives so many ratings. */
  begin(ratings: number, random: Random32): void {
    const isOnce = random.next() < 2 ** 31;
    const most = Math.ceil(ratings / ratingsPerSession);
    this.#count = isOnce ? 1 : Math.min(mostSessions, 1 + random.below(most));
    this.#length = Math.ceil(ratings / this.#count) * secondsPerRating;
    const latest = lastSecond - this.#length + 1;
    const signUp = Math.min(this.#signUps.draw(random), latest);
    // The fourth power: most users stay for weeks, few for years.
    const share = random.next() / 2 ** 32;
    const span = Math.floor((latest - signUp) * share * share * share * share);
    this.#starts[0] = signUp;
    for (let session = 1; session < this.#count; session += 1) {
      this.#starts[session] = signUp + random.below(span + 1);
    }
  }

  /** A second in one of the sessions; `share`, from 0 up to 65,536, chooses which. */
  second(share: number, random: Random32): number {
    return (this.#starts[(share * this.#count) >>> 16] ?? 0) + random.below(this.#length);
  }
}
