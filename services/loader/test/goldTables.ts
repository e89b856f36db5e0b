import type { HopReport } from "@boxoffice/contracts/hopReport";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { writeHop } from "@boxoffice/platform/writeHop";
import {
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  Schema,
  Table,
  TimestampMicrosecond,
  tableToIPC,
  Utf8,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import { Table as WasmTable, writeParquet } from "parquet-wasm";

/** The gold tables as docs/architecture.md has them, of ratings what silver has. */
export const goldColumns: Readonly<Record<string, string>> = {
  dim_movie:
    "tmdb_id int, imdb_id string, title string, original_title string, original_language string, status string, release_date date, release_year int, runtime_minutes double, popularity double, budget bigint, vote_average decimal(6;3), vote_count bigint",
  dim_genre: "genre_id int, name string",
  bridge_movie_genre: "tmdb_id int, genre_id int",
  dim_date: "date_day date, year int, quarter int, month int, month_name string, day int",
  cpi_month: "month date, value decimal(12;3), base_month date, base_value decimal(12;3)",
  fact_rating: "user_id int, movie_id int, rating decimal(2;1), rated_at timestamp",
  fact_box_office:
    "tmdb_id int, release_date date, release_year int, release_quarter int, release_month int, budget bigint, revenue bigint, cpi_value decimal(12;3), revenue_real decimal(24;8), is_adjustable boolean, is_scale_suspect boolean",
  agg_movie_rating: "tmdb_id int, ratings bigint, rating_sum decimal(18;1), mean_rating double",
  agg_genre_rating:
    "genre_id int, ratings bigint, users bigint, rating_sum decimal(18;1), mean_rating double, movies bigint, tmdb_votes bigint",
  agg_genre_box_office:
    "genre_id int, movies bigint, revenue bigint, median_revenue double, adjustable bigint, not_adjustable bigint, revenue_real decimal(30;8), median_revenue_real double",
  agg_release_period:
    "period_type string, period int, movies bigint, revenue bigint, mean_revenue double, median_revenue double, adjustable bigint, revenue_real decimal(30;8), mean_revenue_real double, median_revenue_real double",
  release_timing_test:
    "period_type string, h double, df int, n bigint, p double, log10_p double, epsilon_squared double",
  bridge_movielens_movie: "movie_id int, tmdb_id int",
};

export type Cell = string | number | bigint | boolean | null;

export interface Column {
  name: string;
  /** As in docs/architecture.md, with `;` in decimal(p;s). */
  type: string;
  /** Dates as days, timestamps as microseconds since 1970, decimals as their unscaled integers. */
  cells: readonly Cell[];
}

/** An Arrow table of the given columns. */
export function arrowTable(columns: readonly Column[]): Table {
  const vectors = columns.map((column) => vectorOf(column.type, column.cells));
  const schema = new Schema(columns.map(({ name, type }) => new Field(name, arrowType(type), true)));
  return new Table(schema, Object.fromEntries(columns.map(({ name }, at) => [name, vectors[at] ?? new Vector([])])));
}

export function parquetOf(columns: readonly Column[]): Uint8Array {
  return writeParquet(WasmTable.fromIPCStream(tableToIPC(arrowTable(columns), "stream")));
}

function arrowType(type: string): DataType {
  const decimal = /^decimal\((\d+);(\d+)\)$/.exec(type);
  if (decimal) return new Decimal(Number(decimal[2]), Number(decimal[1]), 128);
  const simple: Readonly<Record<string, DataType>> = {
    int: new Int32(),
    bigint: new Int64(),
    double: new Float64(),
    string: new Utf8(),
    boolean: new Bool(),
    date: new DateDay(),
    timestamp: new TimestampMicrosecond("UTC"),
  };
  const known = simple[type];
  if (!known) throw new Error(`no Arrow type for ${type}`);
  return known;
}

function vectorOf(type: string, cells: readonly Cell[]): Vector {
  const arrow = arrowType(type);
  if (type === "date")
    return vectorFromArray(
      cells.map((day) => day && Number(day) * 86_400_000),
      arrow,
    );
  if (type === "bigint")
    return vectorFromArray(
      cells.map((cell) => (cell === null ? null : BigInt(cell))),
      arrow,
    );
  if (arrow instanceof Decimal || type === "timestamp") return new Vector([fixedWidthData(arrow, cells)]);
  return vectorFromArray(cells, arrow);
}

/** Arrow's builders take neither decimals nor exact timestamps as integers. */
function fixedWidthData(type: DataType, cells: readonly Cell[]): Data {
  const nullBitmap = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [at, cell] of cells.entries()) {
    if (cell !== null) nullBitmap[at >> 3] = (nullBitmap[at >> 3] ?? 0) | (1 << (at & 7));
  }
  const facts = { length: cells.length, nullCount: cells.filter((cell) => cell === null).length, nullBitmap };
  const integers = cells.map((cell) => BigInt(cell ?? 0));
  if (!(type instanceof Decimal)) {
    return makeData({ type: new TimestampMicrosecond("UTC"), data: BigInt64Array.from(integers), ...facts });
  }
  const data = new Uint32Array(cells.length * 4);
  for (const [at, integer] of integers.entries()) {
    for (let word = 0; word < 4; word += 1) data[at * 4 + word] = Number((integer >> BigInt(32 * word)) & 0xffff_ffffn);
  }
  return makeData({ type, data, ...facts });
}

export function columnsOf(table: string): Omit<Column, "cells">[] {
  return (goldColumns[table] ?? "").split(", ").map((column) => {
    const [name = "", type = ""] = column.split(" ");
    return { name, type };
  });
}

/** Rows that differ from each other and, but for the first columns, which may be keys or stars, hold a null every third. */
export function madeColumns(table: string, rows: number, first = 0): Column[] {
  const never = table === "fact_rating" ? 3 : 2;
  return columnsOf(table).map(({ name, type }, at) => ({
    name,
    type,
    cells: Array.from({ length: rows }, (_none, row) =>
      at >= never && row % 3 === 2 ? null : madeCell(type, first + row),
    ),
  }));
}

function madeCell(type: string, row: number): Cell {
  if (type === "string") return `text ${row}`;
  if (type === "boolean") return row % 2 === 0;
  return row + 1;
}

/** Half stars of a user (first) and a movie. */
export type Rating = [user: number, movie: number, halfStars: number];

/** As silver has them; those that are replaced have no time. In the bridge that is made a movie has the same number. */
export function parquetOfRatings(ratings: readonly Rating[], withTime = true): Uint8Array {
  const cells = ratings.map(([user, movie, half]) => [user, movie, half * 5, 1_000_000n]);
  return parquetOfCells("fact_rating", cells, withTime ? 4 : 3);
}

/** Links of the movies from 1 on to these. */
export function linksTo(tmdbIds: readonly number[]): Uint8Array {
  return parquetOfCells(
    "bridge_movielens_movie",
    tmdbIds.map((tmdbId, at) => [at + 1, tmdbId]),
  );
}

/** The bridge of the run that wrote the first part, `added`: those that go on from it share it. */
export function bridgeOf({ added: [first = ""] }: { added: string[] }) {
  return { added: [first.replace(/added$/, "bridge_movielens_movie")], replaced: [] };
}

/** What gold adds up of them by movie. */
export function sumsOfRatings(ratings: readonly Rating[]): { rows: number; parquet: Uint8Array } {
  const movies = [...new Set(ratings.map(([, movie]) => movie))];
  const cells = movies.map((movie) => {
    const of = ratings.filter(([, rated]) => rated === movie);
    const halves = of.reduce((sum, [, , half]) => sum + half, 0);
    return [movie, of.length, halves * 5, halves / 2 / of.length];
  });
  return { rows: cells.length, parquet: parquetOfCells("agg_movie_rating", cells) };
}

function parquetOfCells(table: string, rows: readonly (readonly Cell[])[], columns = columnsOf(table).length) {
  const named = columnsOf(table).map((column, at) => ({ ...column, cells: rows.map((row) => row[at] ?? null) }));
  return parquetOf(named.slice(0, columns));
}

export type GoldRows = Readonly<Record<string, number>>;

export const smallGold: GoldRows = {
  ...Object.fromEntries(Object.keys(goldColumns).map((table, at) => [table, 4 + at])),
  fact_box_office: 3,
  // Of every movie that a test rates.
  bridge_movielens_movie: 20,
};

/** Writes a run's gold tables, each in two objects, and its report. */
export async function putGold(
  lake: ObjectStore,
  runId: string,
  rows: GoldRows = smallGold,
  report: Partial<HopReport> = {},
  tryId = "try1",
): Promise<void> {
  const prefix = `gold/${runId}/${tryId}`;
  for (const [table, count] of Object.entries(rows)) {
    const half = Math.floor(count / 2);
    await lake.put(`${prefix}/${table}/part-0.parquet`, parquetOf(madeColumns(table, half)));
    await lake.put(`${prefix}/${table}/part-1.parquet`, parquetOf(madeColumns(table, count - half, half)));
    await lake.put(`${prefix}/${table}/_SUCCESS`, "{}");
  }
  const [ratings, earning, movies] = [rows.fact_rating ?? 0, rows.fact_box_office ?? 0, rows.dim_movie ?? 0];
  const links = rows.bridge_movielens_movie ?? 0;
  await writeHop(lake, Date.now(), {
    hop: "gold",
    run_id: runId,
    prefix,
    tables: { ...rows },
    rows: {
      fact_rating: { rows_in: ratings + 2, rows_out: ratings, dropped: { no_movie: 2 } },
      bridge_movielens_movie: { rows_in: links + 1, rows_out: links, dropped: { link_without_movie: 1 } },
      fact_box_office: { rows_in: movies, rows_out: earning, dropped: { no_revenue: movies - earning } },
    },
    ...report,
  });
}
