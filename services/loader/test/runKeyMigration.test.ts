import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../src/migrations.ts";
import { allPartitions, partitionOf } from "../src/partitions.ts";
import { migrationsDirectory, newDatabase, quietLog } from "./engines.ts";

let pool: pg.Pool;
let drop: () => Promise<void>;
let before: string;

beforeAll(async () => {
  ({ pool, drop } = await newDatabase());
  before = await mkdtemp(join(tmpdir(), "migrations-"));
  for (const name of await readdir(migrationsDirectory)) {
    if (name < "008") await cp(join(migrationsDirectory, name), join(before, name));
  }
  await migrate(pool, before, quietLog);
});
afterAll(async () => {
  await rm(before, { recursive: true });
  await drop();
});

const runs = ["20261127-090320-4833", "r_2"] as const;
const commentOf = (run_id: string) => ({
  run_id,
  prefix: `gold/${run_id}/try1`,
  loaded_at: "2026-11-27T09:00:00.000Z",
});

/** A partition as the loader made it before: of two parts, the second of which replaces a rating. */
async function putPartition(run: string): Promise<void> {
  const { quoted, name } = partitionOf("fact_rating", run);
  await pool.query(`create table ${quoted} partition of gold.fact_rating for values in ('${run}')`);
  await pool.query(
    `insert into gold.fact_rating (run_id, user_id, movie_id, tmdb_id, rating, rated_at, from_place, until_place)
     values ($1, 1, 1, 862, 2.5, '2001-01-01', 0, 1), ($1, 1, 1, 862, 5, null, 1, 32767), ($1, 2, 1, 862, 3, null, 0, 32767)`,
    [run],
  );
  await pool.query(`create unique index on ${quoted} (user_id, movie_id, until_place)`);
  await pool.query(`create index "${name}_places" on ${quoted} using brin (from_place, until_place)`);
  await pool.query(`comment on table ${quoted} is '${JSON.stringify(commentOf(run))}'`);
}

async function publishedRatings(run: string, place: number): Promise<unknown[]> {
  await pool.query(
    "insert into mart_versions.run_summary (run_id, edition, inputs) values ($1, 'e', '{}') on conflict do nothing",
    [run],
  );
  await pool.query("delete from mart_versions.shared_facts");
  await pool.query("insert into mart_versions.shared_facts values ($1, $1, $2)", [run, place]);
  await pool.query("update marts.current set run_id = $1", [run]);
  const { rows } = await pool.query(
    "select user_id, rating::float, rated_at::text from marts.fact_rating order by user_id",
  );
  return rows;
}

test("ratings that were kept by run id are the same by its key, with their index, comment and places", async () => {
  for (const run of runs) await putPartition(run);
  const [first] = runs;
  const then = [await publishedRatings(first, 0), await publishedRatings(first, 1)];
  expect(then[0]).toEqual([
    { user_id: 1, rating: 2.5, rated_at: "2001-01-01 00:00:00" },
    { user_id: 2, rating: 3, rated_at: null },
  ]);

  await migrate(pool, migrationsDirectory, quietLog);

  expect([await publishedRatings(first, 0), await publishedRatings(first, 1)]).toEqual(then);
  const kept = (await allPartitions(pool)).filter(({ partition }) => partition.table === "fact_rating");
  expect(kept.map(({ partition, state }) => [partition.name, state])).toEqual(
    expect.arrayContaining(
      runs.map((run) => [
        partitionOf("fact_rating", run).name,
        { attached: true, detaching: false, comment: commentOf(run) },
      ]),
    ),
  );
  expect(kept).toHaveLength(runs.length);
  const { rows } = await pool.query<{ indexdef: string }>(
    "select indexdef from pg_indexes where tablename = $1 order by indexdef",
    [partitionOf("fact_rating", first).name],
  );
  expect(rows.map(({ indexdef }) => indexdef.replace(/ ON .* USING/, " USING").replace(/INDEX \S+/, "INDEX"))).toEqual([
    "CREATE INDEX USING brin (from_place, until_place)",
    "CREATE UNIQUE INDEX USING btree (user_id, movie_id, until_place)",
  ]);
  await expect(
    pool.query(`insert into ${partitionOf("fact_rating", first).quoted} (user_id, movie_id) values (1, 1)`),
  ).rejects.toThrow("duplicate key");
});
