import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { Table } from "apache-arrow";
import { expect, test } from "vitest";
import { moviesOfLinks, ratingFacts, tenths } from "../src/ratingFacts.ts";
import { type Column, parquetOf } from "./goldTables.ts";
import { lake } from "./memoryLake.ts";

const ids = (name: string, ...cells: (number | null)[]): Column => ({ name, type: "int", cells });

const links = { links: [ids("movie_id", 10, 11, 12), ids("tmdb_id", 862, 862, 5)] };

/** Objects of a lake by prefix, and what the ratings of one of them are as facts. */
async function factsOf(prefix: string, columns: Column[], withTime = true) {
  for (const [at, given] of Object.entries({ ...links, [prefix]: columns })) {
    await lake.put(`${at}/part-0.parquet`, parquetOf(given));
  }
  const movies = await moviesOfLinks(lake, ["links"]);
  const found: Record<string, unknown>[] = [];
  for await (const batch of ratingFacts(lake, prefix, movies, { withTime })) found.push(...rowsOf(batch));
  return found;
}

function rowsOf(batch: Table): Record<string, unknown>[] {
  return Array.from({ length: batch.numRows }, (_none, row) =>
    Object.fromEntries(
      batch.schema.fields.map(({ name }) => {
        const cell: unknown = batch.getChild(name)?.get(row);
        return [name, cell instanceof Uint32Array ? cell[0] : cell];
      }),
    ),
  );
}

test("ratings of silver get the movie of their link; without one they are none", async () => {
  const found = await factsOf("silver/run/try/rating", [
    ids("user_id", 1, 1, 2, 3),
    ids("movie_id", 12, 13, 10, 11),
    { name: "rating", type: "decimal(2;1)", cells: [5, 50, 45, 10] },
    { name: "rated_at", type: "timestamp", cells: [1_000_000n, 2n, null, -1_000n] },
    { name: "is_live", type: "boolean", cells: [true, true, false, false] },
  ]);
  expect(found).toEqual([
    { user_id: 1, movie_id: 12, tmdb_id: 5, rating: 5, rated_at: 1_000 },
    { user_id: 2, movie_id: 10, tmdb_id: 862, rating: 45, rated_at: null },
    { user_id: 3, movie_id: 11, tmdb_id: 862, rating: 10, rated_at: -1 },
  ]);
});

test("those that stay in bronze become what silver would have made of them", async () => {
  const found = await factsOf(lakeKeys.bronze("ratings", "one"), [
    ids("row_number", 1, 2, 3),
    ids("user_id", 1, 1, 2),
    ids("movie_id", 13, 12, 10),
    { name: "rating", type: "double", cells: [5, 3.5, 0.5] },
    { name: "timestamp", type: "bigint", cells: [7, 1_260_759_144, null] },
  ]);
  expect(found).toEqual([
    { user_id: 1, movie_id: 12, tmdb_id: 5, rating: 35, rated_at: 1_260_759_144_000 },
    { user_id: 2, movie_id: 10, tmdb_id: 862, rating: 5, rated_at: null },
  ]);
});

test("those that were replaced have no time", async () => {
  const columns = [ids("user_id", 1), ids("movie_id", 10), { name: "rating", type: "decimal(2;1)", cells: [35] }];
  expect(await factsOf("silver/run/try/replaced_rating", columns, false)).toEqual([
    { user_id: 1, movie_id: 10, tmdb_id: 862, rating: 35 },
  ]);
});

test("stars become tenths by their decimal digits, halves up, as Spark casts them", () => {
  const stars = [0.5, 0.7, 3.25, 3.24, 3.249999, 1.15, 2.05, 4.95, 4.999, 5];
  expect(stars.map(tenths)).toEqual([5, 7, 33, 32, 32, 12, 21, 50, 50, 50]);
});
