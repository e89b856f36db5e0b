import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { DataType, Decimal, Int32, makeData, Table, TimestampSecond, Vector } from "apache-arrow";
import { lakeBatches } from "./lakeBatches.ts";

/** The movie that each MovieLens id of a run's bridge leads to. */
export type MoviesOfLinks = ReadonlyMap<number, number>;

/** Reads the bridge of MovieLens ids to movies, some 45 thousand rows. */
export async function moviesOfLinks(lake: ObjectStore, prefixes: readonly string[]): Promise<MoviesOfLinks> {
  const movies = new Map<number, number>();
  for (const prefix of prefixes) {
    for await (const batch of lakeBatches(lake, prefix, ["movie_id", "tmdb_id"])) {
      const ids = ints(batch, "movie_id");
      const tmdb = ints(batch, "tmdb_id");
      for (let row = 0; row < batch.numRows; row++) movies.set(ids[row] ?? 0, tmdb[row] ?? 0);
    }
  }
  return movies;
}

/**
 * The ratings at a prefix of silver, or of bronze where silver has them there, as rows of `fact_rating`: with their movie,
 * and without those that reach none. Ratings that were replaced have no time.
 */
export async function* ratingFacts(
  lake: ObjectStore,
  prefix: string,
  movies: MoviesOfLinks,
  { withTime }: { withTime: boolean },
): AsyncGenerator<Table> {
  const time = prefix.startsWith(lakeKeys.bronze("ratings", "")) ? "timestamp" : "rated_at";
  const columns = ["user_id", "movie_id", "rating", ...(withTime ? [time] : [])];
  for await (const batch of lakeBatches(lake, prefix, columns)) {
    const { rows, tmdbIds } = linkedRows(ints(batch, "movie_id"), movies);
    if (rows.length === 0) continue;
    yield new Table({
      user_id: intsAt(ints(batch, "user_id"), rows),
      movie_id: intsAt(ints(batch, "movie_id"), rows),
      tmdb_id: new Vector([makeData({ type: new Int32(), data: tmdbIds, length: rows.length })]),
      rating: starsAt(column(batch, "rating"), rows),
      ...(withTime && { rated_at: timesAt(column(batch, time), rows) }),
    });
  }
}

/** The rows whose MovieLens id leads to a movie, and which. */
function linkedRows(ids: Int32Array, movies: MoviesOfLinks): { rows: Int32Array; tmdbIds: Int32Array } {
  const rows = new Int32Array(ids.length);
  const tmdbIds = new Int32Array(ids.length);
  let linked = 0;
  for (let row = 0; row < ids.length; row++) {
    const tmdbId = movies.get(ids[row] ?? 0);
    if (tmdbId === undefined) continue;
    rows[linked] = row;
    tmdbIds[linked] = tmdbId;
    linked += 1;
  }
  return { rows: rows.subarray(0, linked), tmdbIds: tmdbIds.subarray(0, linked) };
}

function column(batch: Table, name: string): Vector {
  const vector = batch.getChild(name);
  if (!vector) throw new ServiceError("bad_ratings", `ratings in the lake have no column ${name}`);
  return vector;
}

function ints(batch: Table, name: string): Int32Array {
  const values: unknown = column(batch, name).data[0]?.values;
  if (values instanceof Int32Array) return values.subarray(0, batch.numRows);
  throw new ServiceError("bad_ratings", `the column ${name} of ratings in the lake has no whole numbers of 32 bits`);
}

function intsAt(values: Int32Array, rows: Int32Array): Vector<Int32> {
  const data = new Int32Array(rows.length);
  for (let at = 0; at < rows.length; at++) data[at] = values[rows[at] ?? 0] ?? 0;
  return new Vector([makeData({ type: new Int32(), data, length: data.length })]);
}

const decimalWords = 4;

/** Stars as decimals with one place: those of silver, or bronze's numbers rounded as Spark rounds them. */
function starsAt(vector: Vector, rows: Int32Array): Vector {
  const values: unknown = vector.data[0]?.values;
  const data = new Uint32Array(decimalWords * rows.length);
  if (values instanceof Float64Array) {
    for (let at = 0; at < rows.length; at++) data[decimalWords * at] = tenths(values[rows[at] ?? 0] ?? 0);
  } else if (values instanceof Uint32Array) {
    for (let at = 0; at < rows.length; at++) data[decimalWords * at] = values[decimalWords * (rows[at] ?? 0)] ?? 0;
  } else throw new ServiceError("bad_ratings", `stars in the lake are ${vector.type}, not numbers`);
  return new Vector([makeData({ type: new Decimal(1, 2, 128), data, ...validity(vector, rows) })]);
}

/** A number of stars as tenths of one, halves up, by its decimal digits: 3.25 is 33, as in Spark's cast to decimal(2,1). */
export function tenths(stars: number): number {
  const exact = stars * 10;
  if (Number.isInteger(exact)) return exact;
  const [whole = "", fraction = ""] = String(stars).split(".");
  return Number(whole + (fraction[0] ?? "0")) + ((fraction[1] ?? "0") >= "5" ? 1 : 0);
}

/** Times in UTC: those of silver, or bronze's seconds since 1970. */
function timesAt(vector: Vector, rows: Int32Array): Vector {
  const values: unknown = vector.data[0]?.values;
  if (!(values instanceof BigInt64Array)) {
    throw new ServiceError("bad_ratings", `times in the lake are ${vector.type}, not numbers of 64 bits`);
  }
  // By halves: a BigInt for each would take most of the time.
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const data = new Int32Array(2 * rows.length);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] ?? 0;
    data[2 * at] = halves[2 * row] ?? 0;
    data[2 * at + 1] = halves[2 * row + 1] ?? 0;
  }
  const type = DataType.isTimestamp(vector.type) ? vector.type : new TimestampSecond("UTC");
  return new Vector([makeData({ type, data: new BigInt64Array(data.buffer), ...validity(vector, rows) })]);
}

interface Validity {
  length: number;
  nullCount: number;
  nullBitmap?: Uint8Array;
}

function validity(vector: Vector, rows: Int32Array): Validity {
  const { length } = rows;
  if (vector.nullCount === 0) return { length, nullCount: 0 };
  const nullBitmap = new Uint8Array(Math.ceil(length / 8));
  let nullCount = 0;
  for (let at = 0; at < length; at++) {
    if (vector.isValid(rows[at] ?? 0)) nullBitmap[at >> 3] = (nullBitmap[at >> 3] ?? 0) | (1 << (at & 7));
    else nullCount += 1;
  }
  return { length, nullCount, nullBitmap };
}
