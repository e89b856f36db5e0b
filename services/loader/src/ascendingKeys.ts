import type { RecordBatch, Table } from "apache-arrow";

/** What a Parquet object of bronze says in its footer, as JSON, when its keys ascend. */
export const ascendingKeysName = "boxoffice.ascending_keys";

/** That no two rows have the same key, since each row's is greater than the one's before. */
export interface AscendingKeys {
  columns: readonly string[];
  first: number[];
  last: number[];
}

/** Whether the rows of all batches ascend by these columns of ids, one after the other; undefined when not, or for no rows. */
export function ascendingKeys(table: Table, columns: readonly string[]): AscendingKeys | undefined {
  let first: number[] | undefined;
  let last: number[] | undefined;
  for (const batch of table.batches.filter(({ numRows }) => numRows > 0)) {
    const values = columns.map((name) => idsOf(batch, name));
    if (!values.every((ids) => ids !== undefined)) return undefined;
    const begin = values.map((ids) => ids[0] ?? 0);
    if (last && compareKeys(last, begin) >= 0) return undefined;
    for (let row = 1; row < batch.numRows; row++) if (!isGreater(values, row)) return undefined;
    first ??= begin;
    last = values.map((ids) => ids[batch.numRows - 1] ?? 0);
  }
  return first && last && { columns, first, last };
}

function idsOf(batch: RecordBatch, name: string): Int32Array | undefined {
  const data = batch.getChild(name)?.data[0];
  return data && data.nullCount === 0 && data.values instanceof Int32Array ? data.values : undefined;
}

/** Whether a row's key is greater than that of the row before. */
function isGreater(values: readonly Int32Array[], row: number): boolean {
  for (const ids of values) {
    const difference = (ids[row] ?? 0) - (ids[row - 1] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function compareKeys(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((id, place) => id !== other[place]);
  return at === -1 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}
