import type { Draw, DrawnRating } from "./draw.ts";

/** Ratings drawn ahead, so that sending waits for no query. */
export class Stock {
  readonly #draw: Draw;
  readonly #size: number;
  #ready: DrawnRating[] = [];
  #filling: Promise<void> | undefined;

  constructor(draw: Draw, size: number) {
    this.#draw = draw;
    this.#size = size;
  }

  /** Up to so many ratings, fewer when hardly a movie is free; waits for a query only when not so many are ready. */
  async take(count: number): Promise<DrawnRating[]> {
    if (this.#ready.length < count) await this.fill();
    const some = this.#ready.splice(0, count);
    // When it fails, so does the next one that somebody waits for.
    if (this.#ready.length < this.#size / 2) this.fill().catch(() => {});
    return some;
  }

  /** Draws ratings in reserve. */
  fill(): Promise<void> {
    this.#filling ??= this.#drawMore().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #drawMore(): Promise<void> {
    this.#ready.push(...(await this.#draw.some(this.#size)));
  }
}
