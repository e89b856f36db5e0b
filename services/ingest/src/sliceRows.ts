import type { CellKind } from "@boxoffice/contracts/cell";
import type { CellValue, Column } from "@boxoffice/contracts/recordReader";

/** Numbers as they are kept: in 32 bits where that holds every one of the kind. */
export type Numbers = Int32Array | Float64Array;

/** The values of one column of a slice's rows; where one is null, `isNull` has 1 and `values` anything. */
export type SliceColumn = { isNull: Uint8Array } & (
  | { kind: Exclude<CellKind, "genre_list" | "text">; values: Numbers }
  | { kind: "genre_list"; values: string[] }
  | { kind: "text"; values: string[] }
);

/** The good records of a slice, by column: millions of rows as objects of their own would cost more than reading them. */
export class SliceRows {
  readonly rowNumbers: Int32Array;
  readonly columns: readonly SliceColumn[];
  length = 0;

  constructor(columns: readonly Column[], most: number) {
    this.rowNumbers = new Int32Array(most);
    this.columns = columns.map(({ kind }) => emptyColumn(kind, most));
  }

  /** Adds a row of values in contract order. */
  add(rowNumber: number, values: readonly CellValue[]): void {
    for (const [at, column] of this.columns.entries()) {
      const value = values[at] ?? null;
      if (value === null) column.isNull[this.length] = 1;
      if (column.kind === "text" || column.kind === "genre_list")
        column.values.push(value === null ? "" : String(value));
      else column.values[this.length] = Number(value);
    }
    this.rowNumbers[this.length] = rowNumber;
    this.length++;
  }
}

function emptyColumn(kind: CellKind, most: number): SliceColumn {
  const isNull = new Uint8Array(most);
  switch (kind) {
    case "id":
    case "date":
      return { kind, values: new Int32Array(most), isNull };
    case "number":
    case "epoch_seconds":
      return { kind, values: new Float64Array(most), isNull };
    case "genre_list":
    case "text":
      return { kind, values: [], isNull };
  }
}
