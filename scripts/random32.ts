/**
 * Whole numbers from 0 up to 2^32 that depend on the seed alone (sfc32). Integer arithmetic only, so they are the same
 * on every machine and Node.
 */
export class Random32 {
  readonly #state = new Uint32Array(4);

  /** `seed` is a safe integer from 0. */
  constructor(seed: number) {
    this.#state.set([seed % 2 ** 32, Math.floor(seed / 2 ** 32), 0, 1]);
    // Near seeds begin alike; some rounds later nothing of that is left.
    for (let round = 0; round < 16; round += 1) this.next();
  }

  /** A whole number from 0 up to 2^32, itself left out. */
  next(): number {
    const state = this.#state;
    const a = state[0] ?? 0;
    const b = state[1] ?? 0;
    const c = state[2] ?? 0;
    const counter = state[3] ?? 0;
    const drawn = (a + b + counter) | 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + drawn;
    return drawn >>> 0;
  }

  /** A whole number from 0 up to `end`, itself left out. */
  below(end: number): number {
    return Math.floor((this.next() * end) / 2 ** 32);
  }
}
