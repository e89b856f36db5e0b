import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ServiceError } from "@boxoffice/platform/serviceError";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { copyHeader, copyTrailer, type TupleBatch } from "./copyBinary.ts";

export interface CopyOptions {
  /** The table, quoted. It must have been made in this transaction: its rows are written frozen. */
  into: string;
  /** Columns that the rows must have, in any order. */
  columns: readonly string[];
  signal: AbortSignal;
  onRows: (rows: number) => void;
}

/**
 * Streams rows into a table; memory stays bounded because COPY takes the next batch only when it has sent the last.
 * Answers how many the warehouse says it took.
 */
export async function copyTable(
  client: pg.PoolClient,
  rows: AsyncIterable<TupleBatch>,
  { into, columns, signal, onRows }: CopyOptions,
): Promise<number> {
  const batches = rows[Symbol.asyncIterator]();
  const first = await batches.next();
  if (first.done) return 0;
  checkColumns(into, columns, first.value.columns);
  const list = first.value.columns.map(pg.escapeIdentifier).join(", ");
  async function* binary() {
    yield copyHeader;
    for (let batch = first; !batch.done; batch = await batches.next()) {
      yield batch.value.bytes;
      onRows(batch.value.rows);
    }
    yield copyTrailer;
  }
  const copy = client.query(copyFrom(`copy ${into} (${list}) from stdin with (format binary, freeze)`));
  await pipeline(Readable.from(binary(), { highWaterMark: 1 }), copy, { signal });
  return copy.rowCount;
}

function checkColumns(into: string, expected: readonly string[], actual: readonly string[]): void {
  const missing = expected.filter((name) => !actual.includes(name));
  const unknown = actual.filter((name) => !expected.includes(name));
  if (missing.length === 0 && unknown.length === 0) return;
  throw new ServiceError(
    "bad_gold",
    `the gold rows for ${into} lack the columns [${missing.join(", ")}] and have [${unknown.join(", ")}] too many`,
  );
}
