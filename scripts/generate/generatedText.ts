import { bar, isTerminal, line, transient } from "../terminal.ts";
import type { GenerateReport } from "./generateEdition.ts";

const whole = (n: number) => n.toLocaleString("en");

/** The report for a person. */
export function generatedText({ path, rows, users, movies, bytes, sha256, seconds }: GenerateReport): string {
  return [
    `${path}`,
    `  ${whole(rows)} ratings by ${whole(users)} users of ${whole(movies)} movies, ${whole(bytes)} bytes`,
    `  in ${seconds.toFixed(1)} s, ${whole(Math.round(rows / seconds))} rows/s`,
    `  sha256 ${sha256}`,
  ].join("\n");
}

/** Shows how far the rows have come: as a bar where somebody watches, else as lines with seconds between them. */
export class ProgressLines {
  readonly #ratings: number;
  readonly #every = isTerminal ? 100 : 2_000;
  #shownAt = performance.now();

  constructor(ratings: number) {
    this.#ratings = ratings;
  }

  /** `rows` are those written so far. Shows nothing when the last time was a moment ago. */
  show(rows: number): void {
    const now = performance.now();
    if (now - this.#shownAt < this.#every) return;
    this.#shownAt = now;
    const text = `generate ${bar(rows / this.#ratings)}  ${whole(rows)} of ${whole(this.#ratings)} rows`;
    if (isTerminal) transient(text);
    else line(text);
  }
}
