import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { type Table, tableFromIPC } from "apache-arrow";
import { ParquetFile, type RecordBatch } from "parquet-wasm";

const rowsAtOnce = 8_192;

/** The rows of a table at a prefix of the lake, object by object, some thousands at a time; of all columns, or of those named. */
export async function* lakeBatches(
  lake: ObjectStore,
  prefix: string,
  columns?: readonly string[],
): AsyncGenerator<Table> {
  for await (const { key } of lake.list(`${prefix}/`)) {
    if (!key.endsWith(".parquet")) continue;
    const bytes = await lake.bytes(key);
    if (bytes) yield* parquetBatches(bytes, columns);
  }
}

/** The same of one object. */
export async function* parquetBatches(
  bytes: Uint8Array,
  columns?: readonly string[],
  batchSize = rowsAtOnce,
): AsyncGenerator<Table> {
  const file = await ParquetFile.fromFile(new Blob([new Uint8Array(bytes)]));
  try {
    const options = { batchSize, ...(columns && { columns: [...columns] }) };
    const batches: AsyncIterable<RecordBatch> = await file.stream(options);
    for await (const batch of batches) yield tableFromIPC(batch.intoIPCStream());
  } finally {
    file.free();
  }
}
