import type { LiveRow } from "./liveRow.ts";

/** Ratings of one partition that the warehouse has and bronze does not yet, in the order of their offsets. */
export class LiveBuffer {
  #rows: LiveRow[] = [];
  /** Where the next object begins: the end of the last one. */
  #first: number;
  #since = 0;

  constructor(first: number) {
    this.#first = first;
  }

  get first(): number {
    return this.#first;
  }

  /** Those there are now: what is added later is not among them. */
  rows(): readonly LiveRow[] {
    return [...this.#rows];
  }

  /** In ratings. */
  get size(): number {
    return this.#rows.length;
  }

  /** The offset of the last one. */
  get last(): number | undefined {
    return this.#rows.at(-1)?.offset;
  }

  /** When the oldest rating came, milliseconds since 1970; undefined when there is none. */
  get since(): number | undefined {
    return this.#rows.length === 0 ? undefined : this.#since;
  }

  /** Adds ratings, without those that it has or had: a batch may come again. */
  add(rows: readonly LiveRow[], now: number): void {
    const next = Math.max(this.#first, (this.last ?? -1) + 1);
    const fresh = rows.filter(({ offset }) => offset >= next);
    if (this.#rows.length === 0) this.#since = now;
    this.#rows.push(...fresh);
  }

  /** Forgets what lies before an offset: an object ends there. */
  endObject(end: number): void {
    this.#rows = this.#rows.filter(({ offset }) => offset >= end);
    this.#first = end;
  }
}
