import { arrowTypes } from "@boxoffice/contracts/arrowTypes";
import { bronzeSchema, rowNumber } from "@boxoffice/contracts/bronzeSchema";
import { type DatasetName, datasets } from "@boxoffice/contracts/dataset";
import { type CellValue, contractColumns } from "@boxoffice/contracts/recordReader";
import { type DataType, Int32, Table, tableFromIPC, tableToIPC, type Vector, vectorFromArray } from "apache-arrow";
import { readParquet, Table as WasmTable, writeParquet } from "parquet-wasm";
import type { RecordByColumn } from "./repairedRecord.ts";

/** A record and its row's number. */
export interface NumberedRecord {
  row_number: number;
  record: RecordByColumn;
}

const millisecondsPerDay = 86_400_000;

/** Records of a dataset as a Parquet file with the columns of bronze; the same records, the same bytes. */
export function recordsParquet(dataset: DatasetName, records: readonly NumberedRecord[]): Uint8Array {
  const numbers = records.map(({ row_number }) => row_number);
  const columns = contractColumns(datasets[dataset]);
  const schema = bronzeSchema(datasets[dataset]);
  const vectors: Record<string, Vector> = { [rowNumber]: vectorFromArray(numbers, new Int32()) };
  for (const { name, kind } of columns) {
    const cells = records.map(({ record }) => arrowValue(arrowTypes[kind], record[name] ?? null));
    vectors[name] = vectorFromArray(cells, arrowTypes[kind]);
  }
  return writeParquet(WasmTable.fromIPCStream(tableToIPC(new Table(schema, vectors), "stream")));
}

/** How many rows a Parquet file has. */
export function parquetRows(parquet: Uint8Array): number {
  return tableFromIPC(readParquet(parquet).intoIPCStream()).numRows;
}

/** Arrow's builders take a day as milliseconds, and 64 bits as a BigInt. */
function arrowValue(type: DataType, value: CellValue) {
  if (value === null) return null;
  if (type === arrowTypes.date) return Number(value) * millisecondsPerDay;
  return type === arrowTypes.epoch_seconds ? BigInt(value) : value;
}
