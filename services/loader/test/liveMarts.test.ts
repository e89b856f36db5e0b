import type pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { sweepLive, upsertLive } from "../src/liveTable.ts";
import { migrate } from "../src/migrations.ts";
import { migrationsDirectory, newDatabase, quietLog } from "./engines.ts";

let pool: pg.Pool;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ pool, drop } = await newDatabase());
  await migrate(pool, migrationsDirectory, quietLog);
  for (const run of ["r1", "r2"]) {
    for (const table of ["bridge_movielens_movie", "agg_movie_rating"])
      await pool.query(`create table gold.${table}_${run} partition of gold.${table} for values in ('${run}')`);
    await pool.query(
      `create table gold.fact_rating_${run} partition of gold.fact_rating for values in (gold.run_key('${run}'))`,
    );
    // MovieLens movies 1 and 2 are one movie; 9 is none.
    await pool.query(
      `insert into gold.bridge_movielens_movie values ('${run}', 1, 862), ('${run}', 2, 862), ('${run}', 3, 5)`,
    );
    await pool.query(`insert into mart_versions.run_summary (run_id, edition, inputs) values ('${run}', 'e', '{}')`);
  }
  const fact = (run: string, user: number, movie: number, stars: number, seconds: number | null) =>
    pool.query(
      `insert into gold.fact_rating (run_key, user_id, movie_id, tmdb_id, rating_tenths, rated_at)
       values (gold.run_key($1), $2, $3, 862, $4 * 10, to_timestamp($5) at time zone 'UTC')`,
      [run, user, movie, stars, seconds],
    );
  for (const run of ["r1", "r2"]) {
    await fact(run, 1, 1, 2, 100);
    await fact(run, 2, 1, 3, null);
  }
  // r2 has read the live rating of user 3.
  await fact("r2", 3, 1, 5, 300);
  await pool.query("insert into gold.agg_movie_rating values ('r1', 862, 2, 5.0, 2.5), ('r2', 862, 3, 10.0, 10.0 / 3)");
  await pool.query("insert into mart_versions.live_watermark values ('r2', 0, 1), ('r2', 1, 0)");
});
afterAll(() => drop());

beforeEach(async () => {
  await pool.query("truncate live.ratings");
  await publish("r1");
  await live(0, 3, 1, 5, 300);
});

const publish = (run: string) => pool.query("update marts.current set run_id = $1", [run]);
const live = (offset: number, user_id: number, movie_id: number, rating: number, timestamp: number) =>
  upsertLive(pool, [{ partition: 0, rows: [{ offset, user_id, movie_id, rating, timestamp }] }]);

async function mart(): Promise<object[]> {
  const { rows } = await pool.query(
    `select tmdb_id, ratings::int, rating_sum::float, mean_rating, live_ratings::int
     from marts.movie_rating_live order by tmdb_id`,
  );
  return rows;
}
const movie = (ratings: number, rating_sum: number, live_ratings: number) => ({
  tmdb_id: 862,
  ratings,
  rating_sum,
  mean_rating: rating_sum / ratings,
  live_ratings,
});

test("a live rating counts at once for the movie that its MovieLens id leads to, also for one without any before", async () => {
  expect(await mart()).toEqual([movie(3, 10, 1)]);
  await live(1, 3, 2, 1, 300);
  await live(2, 4, 3, 4.5, 300);
  await live(3, 4, 9, 4.5, 300);
  expect(await mart()).toEqual([
    { tmdb_id: 5, ratings: 1, rating_sum: 4.5, mean_rating: 4.5, live_ratings: 1 },
    movie(4, 11, 2),
  ]);
});

test("it takes the place of the fact of the same user and movie, unless that is newer", async () => {
  await live(1, 1, 1, 4, 99);
  expect(await mart()).toEqual([movie(3, 10, 1)]);
  await live(2, 1, 1, 4, 100);
  expect(await mart()).toEqual([movie(3, 12, 2)]);
  await live(3, 2, 1, 1, 0);
  expect(await mart()).toEqual([movie(3, 10, 3)]);
});

test("a run that has read it shows the same, without it; what came later counts on top, and going back is one update", async () => {
  await publish("r2");
  expect(await mart()).toEqual([movie(3, 10, 0)]);
  await live(5, 3, 1, 1, 400);
  expect(await mart()).toEqual([movie(3, 6, 1)]);
  await publish("r1");
  expect(await mart()).toEqual([movie(3, 6, 1)]);
});

test("swept is what every kept version has read, and nothing while one of them has no watermark", async () => {
  await live(5, 4, 1, 1, 400);
  expect(await sweepLive(pool)).toBe(0);
  await pool.query("insert into mart_versions.live_watermark values ('r1', 0, 0), ('r1', 1, 0)");
  expect(await sweepLive(pool)).toBe(0);
  await pool.query(
    "update mart_versions.live_watermark set kafka_offset = 3 where run_id = 'r1' and kafka_partition = 0",
  );
  await publish("r2");
  const before = await mart();
  expect(await sweepLive(pool)).toBe(1);
  expect(await mart()).toEqual(before);
  expect((await pool.query("select user_id from live.ratings")).rows).toEqual([{ user_id: 4 }]);
});
