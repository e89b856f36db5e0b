import { randomBytes } from "node:crypto";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { afterAll, expect, test } from "vitest";
import { MoviesOfLinks } from "../src/moviesOfLinks.ts";
import { RatingTuples } from "../src/ratingTuples.ts";
import { type Column, parquetOf } from "./goldTables.ts";
import { lake } from "./memoryLake.ts";

const rows = 9_000;
const movies = MoviesOfLinks.of(Array.from({ length: rows / 2 }, (_none, at) => [2 * at + 2, 7 + at]));
const tuples = new RatingTuples(lake, movies, ["--import", "tsx"]);
afterAll(() => tuples.close());

/** An object of bronze in which every second movie is linked; with a column beside, which nobody reads, of so many bytes. */
function ratings(first: number, beside: number): Uint8Array {
  const numbers = Array.from({ length: rows }, (_none, at) => at + 1);
  const columns: Column[] = [
    { name: "user_id", type: "int", cells: numbers.map((number) => first + number) },
    { name: "movie_id", type: "int", cells: numbers },
    { name: "rating", type: "double", cells: numbers.map((number) => (number % 10) / 2 + 0.5) },
    { name: "timestamp", type: "bigint", cells: numbers },
    { name: "beside", type: "string", cells: numbers.map(() => randomBytes(beside / rows / 2).toString("hex")) },
  ];
  return parquetOf(columns);
}

async function tuplesAt(prefix: string) {
  const bytes: Uint8Array[] = [];
  let count = 0;
  for await (const batch of tuples.at(prefix, { haveTime: true })) {
    expect(batch.columns).toEqual(["user_id", "movie_id", "tmdb_id", "rating_tenths", "rated_at"]);
    bytes.push(batch.bytes);
    count += batch.rows;
  }
  return { count, bytes: Buffer.concat(bytes) };
}

test("what a thread makes of many bytes is what is made here of few, object by object", async () => {
  const [few, many] = [lakeKeys.bronze("ratings", "few"), lakeKeys.bronze("ratings", "many")];
  for (const [place, first] of [0, 50_000, 100_000].entries()) {
    await lake.put(`${few}/group-${place}.parquet`, ratings(first, 0));
    await lake.put(`${many}/group-${place}.parquet`, ratings(first, 4 << 20));
  }
  const expected = await tuplesAt(few);
  expect(expected.count).toBe((3 * rows) / 2);
  const found = await tuplesAt(many);
  expect(found.count).toBe(expected.count);
  expect(found.bytes.equals(expected.bytes)).toBe(true);
});

test("an object that cannot be read is an error that names it, from the thread too", async () => {
  for (const beside of [0, 9 << 20]) {
    const prefix = lakeKeys.bronze("ratings", `damaged-${beside}`);
    await lake.put(`${prefix}/group-0.parquet`, ratings(0, beside));
    await lake.put(`${prefix}/group-1.parquet`, Buffer.from("no Parquet"));
    await expect(tuplesAt(prefix)).rejects.toMatchObject({
      code: "bad_gold",
      message: expect.stringContaining(`${prefix}/group-1.parquet in the lake cannot be read as ratings`),
    });
  }
});
