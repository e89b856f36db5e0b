import {
  type DataType,
  Field,
  Float64,
  Int32,
  Int64,
  makeVector,
  Schema,
  Table,
  tableFromIPC,
  tableToIPC,
  type Vector,
} from "apache-arrow";
import { Compression, readParquet, Table as WasmTable, WriterPropertiesBuilder, writeParquet } from "parquet-wasm";
import type { LiveRow } from "./liveRow.ts";

const columns: Readonly<Record<string, DataType>> = {
  kafka_partition: new Int32(),
  kafka_offset: new Int64(),
  user_id: new Int32(),
  movie_id: new Int32(),
  rating: new Float64(),
  timestamp: new Int64(),
};
const schema = new Schema(Object.entries(columns).map(([name, type]) => new Field(name, type, false)));

/** Live ratings of one partition as a Parquet file; the same rows, the same bytes. */
export function liveParquet(partition: number, rows: readonly LiveRow[]): Uint8Array {
  const vectors: Record<string, Vector> = {
    kafka_partition: makeVector(new Int32Array(rows.length).fill(partition)),
    kafka_offset: makeVector(BigInt64Array.from(rows, ({ offset }) => BigInt(offset))),
    user_id: makeVector(Int32Array.from(rows, ({ user_id }) => user_id)),
    movie_id: makeVector(Int32Array.from(rows, ({ movie_id }) => movie_id)),
    rating: makeVector(Float64Array.from(rows, ({ rating }) => rating)),
    timestamp: makeVector(BigInt64Array.from(rows, ({ timestamp }) => BigInt(timestamp))),
  };
  return tableParquet(new Table(schema, vectors));
}

/** Parquet files of one partition as one, in the order they are given. */
export function mergedLiveParquet(files: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = files.map(read);
  if (!first) throw new Error("there is no file to merge");
  return tableParquet(first.concat(...others));
}

/** The offsets of such a file's rows, in order. */
export function liveParquetOffsets(parquet: Uint8Array): BigInt64Array {
  return read(parquet).getChild("kafka_offset")?.toArray() ?? new BigInt64Array();
}

const read = (parquet: Uint8Array): Table => tableFromIPC(readParquet(parquet).intoIPCStream());

function tableParquet(table: Table): Uint8Array {
  const properties = new WriterPropertiesBuilder().setCompression(Compression.ZSTD).build();
  return writeParquet(WasmTable.fromIPCStream(tableToIPC(table, "stream")), properties);
}
