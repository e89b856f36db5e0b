import { type DatasetName, datasets, groupSlices } from "@boxoffice/contracts/dataset";
import { type DeadLetter, deadLetterId } from "@boxoffice/contracts/deadLetter";
import { contractColumns, type ReadResult, type Rejection } from "@boxoffice/contracts/recordReader";
import { SliceRows } from "./sliceRows.ts";

/** A fixed number of consecutive source records, the good ones and the bad ones apart. */
export interface Slice {
  number: number;
  group: number;
  isLast: boolean;
  rows: SliceRows;
  deadLetters: DeadLetter[];
}

/** Where a record began in the source, and how it came. */
export interface Origin {
  line: number;
  raw: string;
}

/** Takes a source's records in their order, and has a slice whenever enough of them came. */
export class SliceCutter {
  readonly #source: { dataset: DatasetName; loadId: string; file: string };
  readonly #sliceRecords: number;
  readonly #whole: Slice[] = [];
  #slice: Slice | undefined;
  #records = 0;

  constructor(source: { dataset: DatasetName; loadId: string; file: string }) {
    this.#source = source;
    this.#sliceRecords = datasets[source.dataset].sliceRecords;
  }

  /** Takes one record, which is a row or a dead letter. */
  take(result: ReadResult, origin: () => Origin): void {
    const { rows, deadLetters } = this.#enter(this.#next());
    this.#records++;
    if ("values" in result) rows.add(this.#records, result.values);
    else deadLetters.push(this.#deadLetter(result.rejection, origin()));
  }

  /** Has `read` add good records to the slice's rows: at most `room`, numbered from `first` on. Answers how many it did. */
  fill(read: (rows: SliceRows, room: number, first: number) => void): number {
    const slice = this.#next();
    const before = slice.rows.length;
    read(slice.rows, this.#sliceRecords - (this.#records % this.#sliceRecords), this.#records + 1);
    const added = slice.rows.length - before;
    if (added > 0) this.#enter(slice);
    this.#records += added;
    return added;
  }

  /** The slices that became whole, each once. */
  whole(): Slice[] {
    return this.#whole.splice(0);
  }

  /** The last slice, whole or not; undefined when no record came. */
  last(): Slice | undefined {
    return this.#slice && { ...this.#slice, isLast: true };
  }

  /** The slice that the next record belongs to, which may be one that has none yet. */
  #next(): Slice {
    const number = Math.floor(this.#records / this.#sliceRecords);
    if (this.#slice?.number === number) return this.#slice;
    const rows = new SliceRows(contractColumns(datasets[this.#source.dataset]), this.#sliceRecords);
    return { number, group: Math.floor(number / groupSlices), isLast: false, rows, deadLetters: [] };
  }

  /** Makes it the slice at hand; the one before is whole then. */
  #enter(slice: Slice): Slice {
    if (this.#slice && this.#slice !== slice) this.#whole.push(this.#slice);
    this.#slice = slice;
    return slice;
  }

  #deadLetter(rejection: Rejection, origin: Origin): DeadLetter {
    const { dataset, loadId, file } = this.#source;
    const id = deadLetterId(dataset, loadId, this.#records);
    return { id, dataset, load_id: loadId, file, row_number: this.#records, ...rejection, ...origin };
  }
}
