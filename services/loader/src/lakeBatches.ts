import type { ObjectStore, StoredObject } from "@boxoffice/platform/objectStore";
import { type Table, tableFromIPC } from "apache-arrow";
import { ParquetFile, type RecordBatch } from "parquet-wasm";

const rowsAtOnce = 8_192;

/** The rows of a table at a prefix of the lake, object by object, some thousands at a time; of all columns, or of those named. */
export async function* lakeBatches(
  lake: ObjectStore,
  prefix: string,
  columns?: readonly string[],
): AsyncGenerator<Table> {
  for await (const { key } of parquetObjects(lake, prefix)) {
    const bytes = await lake.bytes(key);
    if (bytes) yield* parquetBatches(bytes, columns);
  }
}

/** The objects of a table at a prefix; a store may list other names beside them. */
export async function* parquetObjects(lake: ObjectStore, prefix: string): AsyncGenerator<StoredObject> {
  for await (const object of lake.list(`${prefix}/`)) if (object.key.endsWith(".parquet")) yield object;
}

/** Rows of one object, in the same way. */
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
