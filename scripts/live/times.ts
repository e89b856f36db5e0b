import { createHistogram } from "node:perf_hooks";

export interface TimesReport {
  p50: number;
  p99: number;
  max: number;
}

const longest = 3_600_000_000;

/** Durations, in memory that does not grow with their number. */
export class Times {
  readonly #microseconds = createHistogram({ lowest: 1, highest: longest, figures: 3 });

  add(milliseconds: number): void {
    this.#microseconds.record(Math.min(longest, Math.max(1, Math.round(milliseconds * 1000))));
  }

  /** In milliseconds; null when there is none. */
  report(): TimesReport | null {
    if (this.#microseconds.count === 0) return null;
    const at = (percentile: number) => this.#microseconds.percentile(percentile) / 1000;
    return { p50: at(50), p99: at(99), max: this.#microseconds.max / 1000 };
  }
}
