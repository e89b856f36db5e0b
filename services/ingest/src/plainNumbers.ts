import type { DatasetContract } from "@boxoffice/contracts/dataset";
import { type CellValue, type Column, contractColumns } from "@boxoffice/contracts/recordReader";
import type { z } from "zod";
import type { Numbers, SliceRows } from "./sliceRows.ts";

const comma = 0x2c;
const newline = 0x0a;
const carriageReturn = 0x0d;
const digitZero = 0x30;

/** Where the cell that begins at `from` ends, its value put at `row`; -1 when it is not plain. */
type ReadCell = (text: Buffer, from: number, values: Numbers, row: number) => number;

/**
 * Reads the commonest records without making a text or an object of each: lines whose every cell is a plain number. It
 * takes only what the contract's own reader would take, and reads that to the same values; all else it leaves.
 */
export class PlainNumbers {
  /** By cell of a line: how it is read, and the column of the contract it is. */
  readonly #cells: readonly { read: ReadCell; column: number }[];

  private constructor(cells: readonly { read: ReadCell; column: number }[]) {
    this.#cells = cells;
  }

  /** A reader for files with this header, or undefined when their records are not of numbers alone. */
  static forHeader(contract: DatasetContract, header: readonly string[]): PlainNumbers | undefined {
    const columns = contractColumns(contract);
    const order = header.map((name) => columns.findIndex(({ headers }) => headers.includes(name)));
    const isWhole = order.length === columns.length && new Set(order).size === order.length;
    const cells = order.flatMap((at) => {
      const column = columns[at];
      const read = column && cellReader(contract, column);
      return read ? [{ read, column: at }] : [];
    });
    return isWhole && cells.length === order.length ? new PlainNumbers(cells) : undefined;
  }

  /**
   * Adds lines of `text` from `from` on to the rows, `most` at most, numbered from `first`. Every line ends before `end`.
   * Stops before a line that is not plain; answers where it stopped.
   */
  read(rows: SliceRows, text: Buffer, from: number, end: number, most: number, first: number): number {
    const targets = this.#cells.map(({ read, column }) => ({ read, values: numbersOf(rows, column) }));
    let lineStart = from;
    for (let record = first; record < first + most && lineStart < end; record++) {
      let at = lineStart - 1;
      for (const { read, values } of targets) {
        if (at >= lineStart && text[at] !== comma) return lineStart;
        at = read(text, at + 1, values, rows.length);
        if (at === -1) return lineStart;
      }
      if (text[at] === carriageReturn) at++;
      if (text[at] !== newline) return lineStart;
      rows.rowNumbers[rows.length] = record;
      rows.length++;
      lineStart = at + 1;
    }
    return lineStart;
  }
}

function numbersOf(rows: SliceRows, at: number): Numbers {
  const column = rows.columns[at];
  if (!column || column.kind === "text" || column.kind === "genre_list") throw new Error(`column ${at} has no numbers`);
  return column.values;
}

function cellReader(contract: DatasetContract, { name, kind }: Column): ReadCell | undefined {
  if (kind === "id") return (text, from, values, row) => wholeNumber(text, from, values, row, 9, 1);
  if (kind === "epoch_seconds") return (text, from, values, row) => wholeNumber(text, from, values, row, 11, 0);
  if (kind === "number") return knownNumbers(contract.record.shape[name] as z.ZodType<CellValue, string>);
  return undefined;
}

/** Digits, so few that every number of them is in the kind's range. */
function wholeNumber(text: Buffer, from: number, values: Numbers, row: number, digits: number, least: number): number {
  let value = 0;
  let at = from;
  for (;;) {
    const digit = (text[at] ?? 0) - digitZero;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    at++;
  }
  if (at === from || at - from > digits || value < least) return -1;
  values[row] = value;
  return at;
}

/** Cells of up to four characters, of which there are few different ones: the contract is asked once for each. */
function knownNumbers(schema: z.ZodType<CellValue, string>): ReadCell {
  const known = new Map<number, number>();
  return (text, from, values, row) => {
    let key = 0;
    let at = from;
    for (;;) {
      const character = text[at] ?? newline;
      if (character === comma || character === newline || character === carriageReturn) break;
      if (at - from === 4 || character <= 0x20 || character > 0x7f) return -1;
      key = key * 128 + character;
      at++;
    }
    let value = known.get(key);
    if (value === undefined) {
      const result = schema.safeParse(text.toString("latin1", from, at));
      if (!result.success || typeof result.data !== "number") return -1;
      value = result.data;
      known.set(key, value);
    }
    values[row] = value;
    return at;
  };
}
