import type { Random32 } from "../random32.ts";

const columns = 2 ** 16;

/**
 * Draws an index with a chance proportional to its weight, in constant time (the alias method): each of 65,536 columns
 * of one height holds a part of one index and, above it, a part of another.
 */
export class WeightedDraw {
  readonly #threshold = new Uint16Array(columns);
  readonly #below = new Uint16Array(columns);
  readonly #above = new Uint16Array(columns);

  /** `weights` are positive, up to 65,536 of them. */
  constructor(weights: readonly number[]) {
    if (weights.length === 0 || weights.length > columns) throw new RangeError(`${weights.length} weights`);
    const parts = Array.from(scaled(weights), (height, index) => ({ index, height }));
    const small = parts.filter(({ height }) => height < columns);
    const tall = parts.filter(({ height }) => height >= columns);
    for (let column = 0; column < columns; column += 1) {
      const below = small.pop();
      const above = tall.at(-1) ?? below;
      if (!above) throw new RangeError("the weights fill too few columns");
      this.#threshold[column] = below?.height ?? 0;
      this.#below[column] = below?.index ?? above.index;
      this.#above[column] = above.index;
      above.height -= columns - (below?.height ?? 0);
      if (above.height < columns) {
        tall.pop();
        if (above.height > 0) small.push(above);
      }
    }
  }

  draw(random: Random32): number {
    const drawn = random.next();
    const column = drawn >>> 16;
    const side = (drawn & 0xffff) < (this.#threshold[column] ?? 0) ? this.#below : this.#above;
    return side[column] ?? 0;
  }
}

/** The weights as whole numbers from 1 with a sum of 2^32: a draw of 32 bits then has exactly these chances. */
function scaled(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const heights = weights.map((weight) => Math.max(1, Math.floor((weight / sum) * 2 ** 32)));
  const rest = 2 ** 32 - heights.reduce((total, height) => total + height, 0);
  const heaviest = heights.reduce((best, height, index) => (height > (heights[best] ?? 0) ? index : best), 0);
  heights[heaviest] = (heights[heaviest] ?? 0) + rest;
  return heights;
}
