import { bronzeSchema, rowNumber } from "@boxoffice/contracts/bronzeSchema";
import { datasets } from "@boxoffice/contracts/dataset";
import { widened } from "@boxoffice/contracts/narrowSlice";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { DataType, Schema, Table, tableFromIPC, tableToIPC } from "apache-arrow";
import { Compression, Encoding, Table as WasmTable, WriterPropertiesBuilder, writeParquet } from "parquet-wasm";
import { type AscendingKeys, ascendingKeys, ascendingKeysName } from "./ascendingKeys.ts";
import type { Slice } from "./openGroups.ts";

/** A group as bronze has it, and how many rows that are. */
export interface GroupFile {
  rows: number;
  parquet: Uint8Array;
}

/** What `groupParquet` does, here or elsewhere. */
export type EncodeGroup = (slices: readonly Slice[]) => GroupFile | Promise<GroupFile>;

/** One Parquet file of a group's slices, in the order given; refuses slices that are not as their contract says. */
export function groupParquet(slices: readonly Slice[]): GroupFile {
  try {
    const [first, ...others] = slices.map(readSlice);
    const batches = [first, ...others].flatMap((table) => table?.batches.filter((batch) => batch.numRows > 0) ?? []);
    const group = new Table(first?.schema ?? new Schema(), batches);
    const key = slices[0] && datasets[slices[0].dataset].key;
    const keys = key && ascendingKeys(group, key);
    return {
      rows: group.numRows,
      parquet: writeParquet(WasmTable.fromIPCStream(tableToIPC(group, "stream")), properties(group.schema, keys)),
    };
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    throw new ServiceError("bad_slice", `the slices cannot be read as Arrow: ${String(cause)}`, { cause });
  }
}

/**
 * Row numbers by their differences, and dictionaries of numbers, as stars repeat: a group of ratings is written in two
 * thirds of the time and is three fifths as large. A dictionary of ids or times would be given up only once it is large.
 */
function properties({ fields }: Schema, keys: AscendingKeys | undefined) {
  const metadata = new Map(keys ? [[ascendingKeysName, JSON.stringify(keys)]] : []);
  const numbers = fields.filter(({ type }) => DataType.isFloat(type));
  return numbers
    .reduce(
      (builder, { name }) => builder.setColumnDictionaryEnabled(name, true),
      new WriterPropertiesBuilder()
        .setCompression(Compression.ZSTD)
        .setDictionaryEnabled(false)
        .setColumnEncoding(rowNumber, Encoding.DELTA_BINARY_PACKED),
    )
    .setKeyValueMetadata(metadata)
    .build();
}

function readSlice(slice: Slice): Table {
  const table = widened(tableFromIPC(slice.value));
  const columnsOf = ({ fields }: Schema) => fields.map(({ name, type }) => `${name} ${type}`).join(", ");
  const [expected, actual] = [columnsOf(bronzeSchema(datasets[slice.dataset])), columnsOf(table.schema)];
  if (actual !== expected) {
    throw new ServiceError("bad_slice", `slice ${slice.slice} has the columns ${actual}; expected ${expected}`);
  }
  if (table.numRows !== slice.rows) {
    throw new ServiceError(
      "bad_slice",
      `slice ${slice.slice} has ${table.numRows} rows; its header says ${slice.rows}`,
    );
  }
  return table;
}
