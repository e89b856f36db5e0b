import { ServiceError } from "@boxoffice/platform/serviceError";
import { DataType, type Table, TimeUnit, type Vector } from "apache-arrow";
import { columnOf, valuesOf } from "./arrowColumns.ts";
import { putTime, type TupleBatch } from "./copyBinary.ts";
import { parquetBatches } from "./lakeBatches.ts";
import type { MoviesOfLinks } from "./moviesOfLinks.ts";

/** The column of a rating's time: of silver, or of bronze, where silver has its ratings there. None of those replaced. */
export type TimeColumn = "rated_at" | "timestamp" | undefined;

/**
 * The ratings of a Parquet object of silver, or of bronze, as tuples of `fact_rating`: with their movie, and without those
 * that reach none. There are so many of them that they are written by themselves, and not as any table is.
 */
export async function* ratingFacts(
  parquet: Uint8Array,
  movies: MoviesOfLinks,
  time: TimeColumn,
): AsyncGenerator<TupleBatch> {
  const columns = ["user_id", "movie_id", "rating", ...(time ? [time] : [])];
  for await (const batch of parquetBatches(parquet, columns, rowsAtOnce)) yield factTuples(batch, movies, time);
}

const rowsAtOnce = 32_768;
const idBytes = 8;
const timeBytes = 12;
const tenthsBytes = 6;
const mostBytes = 2 + 3 * idBytes + tenthsBytes + timeBytes;

function factTuples(batch: Table, movies: MoviesOfLinks, time: TimeColumn): TupleBatch {
  const userIds = valuesOf(columnOf(batch, "user_id"), Int32Array);
  const movieIds = valuesOf(columnOf(batch, "movie_id"), Int32Array);
  const putTenths = tenthsWriter(columnOf(batch, "rating"));
  const putTimeOf = time && timeWriter(columnOf(batch, time));
  const columns = ["user_id", "movie_id", "tmdb_id", "rating_tenths", ...(time ? ["rated_at"] : [])];
  // Of its own, as it goes to another thread.
  const bytes = Buffer.allocUnsafeSlow(mostBytes * batch.numRows);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let rows = 0;
  let at = 0;
  for (let row = 0; row < batch.numRows; row++) {
    const movieId = movieIds[row] ?? 0;
    const tmdbId = movies.movieOf(movieId);
    if (tmdbId === 0) continue;
    view.setInt16(at, columns.length);
    putId(view, at + 2, userIds[row] ?? 0);
    putId(view, at + 2 + idBytes, movieId);
    putId(view, at + 2 + 2 * idBytes, tmdbId);
    at = putTenths(view, at + 2 + 3 * idBytes, row);
    if (putTimeOf) at = putTimeOf(view, at, row);
    rows += 1;
  }
  return { columns, rows, bytes: bytes.subarray(0, at) };
}

function putId(view: DataView, at: number, id: number): void {
  view.setInt32(at, 4);
  view.setInt32(at + 4, id);
}

/** Puts the cell of a row and answers where it ends. */
type CellWriter = (view: DataView, at: number, row: number) => number;

/** Tenths of a star: silver's decimals, or bronze's numbers rounded as Spark rounds them. */
function tenthsWriter(vector: Vector): CellWriter {
  const tenthsAt = tenthsOf(vector);
  return (view, at, row) => {
    const rating = tenthsAt(row);
    if (!(rating >= 0 && rating < 100))
      throw new ServiceError("bad_gold", `a rating in the lake has ${rating / 10} stars`);
    view.setInt32(at, 2);
    view.setInt16(at + 4, rating);
    return at + tenthsBytes;
  };
}

function tenthsOf(vector: Vector): (row: number) => number {
  const values: unknown = vector.data[0]?.values;
  if (vector.nullCount === 0) {
    if (values instanceof Float64Array) return (row) => tenths(values[row] ?? 0);
    // Of a decimal's four words the lowest.
    if (values instanceof Uint32Array) return (row) => values[4 * row] ?? 0;
  }
  throw new ServiceError(
    "bad_gold",
    `stars in the lake are ${vector.type}, ${vector.nullCount} of them null: expected numbers`,
  );
}

/** A number of stars as tenths of one, halves up, by its decimal digits: 3.25 is 33, as in Spark's cast to decimal(2,1). */
export function tenths(stars: number): number {
  const exact = stars * 10;
  if (Number.isInteger(exact)) return exact;
  const [whole = "", fraction = ""] = String(stars).split(".");
  return Number(whole + (fraction[0] ?? "0")) + ((fraction[1] ?? "0") >= "5" ? 1 : 0);
}

/** Times in UTC, some of them null: silver's microseconds, or bronze's seconds since 1970. */
function timeWriter(vector: Vector): CellWriter {
  const values = valuesOf(vector, BigInt64Array);
  const isMicroseconds = DataType.isTimestamp(vector.type) && vector.type.unit === TimeUnit.MICROSECOND;
  if (!isMicroseconds && !DataType.isInt(vector.type)) {
    throw new ServiceError("bad_gold", `times in the lake are ${vector.type}, not seconds or microseconds`);
  }
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const factor = isMicroseconds ? 1 : 1_000_000;
  const hasNulls = vector.nullCount > 0;
  return (view, at, row) => {
    if (hasNulls && !vector.isValid(row)) {
      view.setInt32(at, -1);
      return at + 4;
    }
    view.setInt32(at, 8);
    putTime(view, at + 4, halves[2 * row] ?? 0, halves[2 * row + 1] ?? 0, factor);
    return at + timeBytes;
  };
}
