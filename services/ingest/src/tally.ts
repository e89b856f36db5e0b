import type { RejectionRule } from "@boxoffice/contracts/cell";
import type { DeadLetter } from "@boxoffice/contracts/deadLetter";
import type { LoadManifest } from "@boxoffice/contracts/loadManifest";
import type { Slice } from "./sliceCutter.ts";

const shownDeadLetters = 5;

/** What share a part is of the whole, 0 to 100; of nothing it is 0. */
export const percentOf = (part: number, whole: number) => (whole === 0 ? 0 : (100 * part) / whole);

/** What the slices of a load hold, counted as they pass. */
export class Tally {
  readonly rejected: Partial<Record<RejectionRule, number>> = {};
  readonly firstDeadLetters: DeadLetter[] = [];
  readonly #groupRows: number[] = [];
  #rows = 0;
  #slices = 0;
  #deadLetterSlices = 0;
  deadLetters = 0;

  add({ group, rows, deadLetters }: Slice): void {
    this.#slices++;
    this.#rows += rows.length;
    this.#groupRows[group] = (this.#groupRows[group] ?? 0) + rows.length;
    this.deadLetters += deadLetters.length;
    if (deadLetters.length > 0) this.#deadLetterSlices++;
    for (const { rule } of deadLetters) this.rejected[rule] = (this.rejected[rule] ?? 0) + 1;
    this.firstDeadLetters.push(...deadLetters.slice(0, shownDeadLetters - this.firstDeadLetters.length));
  }

  get sourceRows(): number {
    return this.#rows + this.deadLetters;
  }

  /** 0 to 100. */
  get rejectPercent(): number {
    return percentOf(this.deadLetters, this.sourceRows);
  }

  counts(): Pick<
    LoadManifest,
    "source_rows" | "rows" | "dead_letters" | "rejected" | "slices" | "dead_letter_slices" | "group_rows"
  > {
    return {
      source_rows: this.sourceRows,
      rows: this.#rows,
      dead_letters: this.deadLetters,
      rejected: this.rejected,
      slices: this.#slices,
      dead_letter_slices: this.#deadLetterSlices,
      group_rows: this.#groupRows,
    };
  }
}
