import type { Random32 } from "../random32.ts";

/** Draws whole numbers that are distributed as observed ones, and also the numbers between two neighbours of them. */
export class Quantiles {
  readonly #sorted: Float64Array;

  constructor(observed: Iterable<number>) {
    this.#sorted = Float64Array.from(observed).sort();
  }

  draw(random: Random32): number {
    const position = random.next() * (this.#sorted.length - 1);
    const index = Math.floor(position / 2 ** 32);
    const low = this.#sorted[index] ?? 0;
    const high = this.#sorted[index + 1] ?? low;
    return low + Math.floor((high - low) * (position / 2 ** 32 - index));
  }
}
