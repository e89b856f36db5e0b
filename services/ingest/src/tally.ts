import type { RejectionRule } from "@boxoffice/contracts/cell";
import type { DeadLetter } from "@boxoffice/contracts/deadLetter";
import type { LoadManifest } from "@boxoffice/contracts/loadManifest";
import type { Slice } from "./sliceCutter.ts";

const shownDeadLetters = 5;

/** Of nothing, nothing. */
export const percentOf = (part: number, whole: number) => (whole === 0 ? 0 : (100 * part) / whole);

/** What the slices of a load hold, counted as they pass. */
export class Tally {
  /** Dead letters by the rule they break. */
  readonly rejected: Partial<Record<RejectionRule, number>> = {};
  /** Enough of them for a message. */
  readonly firstDeadLetters: DeadLetter[] = [];
  readonly #groupRows: number[] = [];
  #rows = 0;
  #slices = 0;
  #deadLetterSlices = 0;
  deadLetters = 0;

  /** Counts a slice; each is to be added once. */
  add({ group, rows, deadLetters }: Slice): void {
    this.#slices++;
    this.#rows += rows.length;
    this.#groupRows[group] = (this.#groupRows[group] ?? 0) + rows.length;
    this.deadLetters += deadLetters.length;
    if (deadLetters.length > 0) this.#deadLetterSlices++;
    for (const { rule } of deadLetters) this.rejected[rule] = (this.rejected[rule] ?? 0) + 1;
    this.firstDeadLetters.push(...deadLetters.slice(0, shownDeadLetters - this.firstDeadLetters.length));
  }

  /** Records of the source, good and bad. */
  get sourceRows(): number {
    return this.#rows + this.deadLetters;
  }

  /** The dead letters among them, in percent. */
  get rejectPercent(): number {
    return percentOf(this.deadLetters, this.sourceRows);
  }

  /** The counts as the load's manifest states them. */
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
