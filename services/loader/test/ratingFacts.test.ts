import { expect, test } from "vitest";
import type { TupleBatch } from "../src/copyBinary.ts";
import { MoviesOfLinks } from "../src/moviesOfLinks.ts";
import { ratingFacts, type TimeColumn, tenths } from "../src/ratingFacts.ts";
import { type Column, parquetOf } from "./goldTables.ts";

const ids = (name: string, ...cells: (number | null)[]): Column => ({ name, type: "int", cells });

const movies = MoviesOfLinks.of([
  [10, 862],
  [11, 862],
  [12, 5],
]);

/** The tuples of an object's ratings as rows: stars in tenths, times in milliseconds since 1970. */
async function factsOf(columns: Column[], time: TimeColumn) {
  const found: Record<string, unknown>[] = [];
  for await (const batch of ratingFacts(parquetOf(columns), movies, time)) found.push(...rowsOf(batch));
  return found;
}

function rowsOf({ columns, rows, bytes }: TupleBatch): Record<string, unknown>[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const cellOf = (name: string) => {
    const length = view.getInt32(at);
    const begin = at + 4;
    at = begin + Math.max(length, 0);
    if (length === -1) return [name, null];
    if (name === "rating_tenths") return [name, view.getInt16(begin)];
    if (name === "rated_at") return [name, Number(view.getBigInt64(begin) / 1000n) + Date.UTC(2000, 0, 1)];
    return [name, view.getInt32(begin)];
  };
  const found = Array.from({ length: rows }, () => {
    expect(view.getInt16(at)).toBe(columns.length);
    at += 2;
    return Object.fromEntries(columns.map(cellOf));
  });
  expect(at).toBe(bytes.length);
  return found;
}

test("ratings of silver get the movie of their link; without one they are none", async () => {
  const columns = [
    ids("user_id", 1, 1, 2, 3),
    ids("movie_id", 12, 13, 10, 11),
    { name: "rating", type: "decimal(2;1)", cells: [5, 50, 45, 10] },
    { name: "rated_at", type: "timestamp", cells: [1_000_000n, 2n, null, -1_000n] },
    { name: "is_live", type: "boolean", cells: [true, true, false, false] },
  ];
  expect(await factsOf(columns, "rated_at")).toEqual([
    { user_id: 1, movie_id: 12, tmdb_id: 5, rating_tenths: 5, rated_at: 1_000 },
    { user_id: 2, movie_id: 10, tmdb_id: 862, rating_tenths: 45, rated_at: null },
    { user_id: 3, movie_id: 11, tmdb_id: 862, rating_tenths: 10, rated_at: -1 },
  ]);
});

test("those that stay in bronze become what silver would have made of them", async () => {
  const columns = [
    ids("row_number", 1, 2, 3),
    ids("user_id", 1, 1, 2),
    ids("movie_id", 13, 12, 10),
    { name: "rating", type: "double", cells: [5, 3.5, 0.5] },
    { name: "timestamp", type: "bigint", cells: [7, 1_260_759_144, null] },
  ];
  expect(await factsOf(columns, "timestamp")).toEqual([
    { user_id: 1, movie_id: 12, tmdb_id: 5, rating_tenths: 35, rated_at: 1_260_759_144_000 },
    { user_id: 2, movie_id: 10, tmdb_id: 862, rating_tenths: 5, rated_at: null },
  ]);
});

test("those that were replaced have no time", async () => {
  const columns = [ids("user_id", 1), ids("movie_id", 10), { name: "rating", type: "decimal(2;1)", cells: [35] }];
  expect(await factsOf(columns, undefined)).toEqual([{ user_id: 1, movie_id: 10, tmdb_id: 862, rating_tenths: 35 }]);
});

test("a rating without stars, or with more than its column can show, is an error and no rating", async () => {
  for (const cell of [null, 100]) {
    const columns = [ids("user_id", 1), ids("movie_id", 10), { name: "rating", type: "decimal(3;1)", cells: [cell] }];
    await expect(factsOf(columns, undefined)).rejects.toThrow("in the lake");
  }
});

test("stars become tenths by their decimal digits, halves up, as Spark casts them", () => {
  const stars = [0.5, 0.7, 3.25, 3.24, 3.249999, 1.15, 2.05, 4.95, 4.999, 5];
  expect(stars.map(tenths)).toEqual([5, 7, 33, 32, 32, 12, 21, 50, 50, 50]);
});
