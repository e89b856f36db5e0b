import { rm } from "node:fs/promises";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../src/migrations.ts";
import { allPartitions, partitionOf, partitionState } from "../src/partitions.ts";
import { migrationsBefore, migrationsDirectory, newDatabase, quietLog } from "./engines.ts";

let pool: pg.Pool;
let drop: () => Promise<void>;
let before: string;

beforeAll(async () => {
  ({ pool, drop } = await newDatabase());
  before = await migrationsBefore("008");
  await migrate(pool, before, quietLog);
});
afterAll(async () => {
  await rm(before, { recursive: true });
  await drop();
});

const full = "20261127-090320-4833";
const [appended, other, notWhole] = ["appended", "r_2", "not-whole"];
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

async function publish(run: string): Promise<void> {
  await pool.query(
    "insert into mart_versions.run_summary (run_id, edition, inputs) values ($1, 'e', '{}') on conflict do nothing",
    [run],
  );
  await pool.query("update marts.current set run_id = $1", [run]);
}

async function publishedRatings(): Promise<unknown[]> {
  const { rows } = await pool.query(
    "select user_id, rating::float, rated_at::text from marts.fact_rating order by user_id",
  );
  return rows;
}

test("the published ratings are the same by the key of their run, with their index, comment and places; no others are kept", async () => {
  await putPartition(full);
  await putPartition(other);
  // A load that was broken off before it was attached.
  await pool.query(`create table ${partitionOf("fact_rating", notWhole).quoted} (like gold.fact_rating)`);
  await pool.query("insert into mart_versions.shared_facts values ($1, $2, 1)", [appended, full]);
  await publish(full);
  const first = await publishedRatings();
  expect(first).toEqual([
    { user_id: 1, rating: 2.5, rated_at: "2001-01-01 00:00:00" },
    { user_id: 2, rating: 3, rated_at: null },
  ]);
  await publish(appended);
  const second = await publishedRatings();
  expect(second).not.toEqual(first);

  await migrate(pool, migrationsDirectory, quietLog);

  expect(await publishedRatings()).toEqual(second);
  await publish(full);
  expect(await publishedRatings()).toEqual(first);
  const partition = partitionOf("fact_rating", full);
  expect(await partitionState(pool, partition)).toEqual({
    attached: true,
    detaching: false,
    comment: commentOf(full),
  });
  const kept = (await allPartitions(pool)).filter(({ partition: { table } }) => table === "fact_rating");
  expect(kept.map(({ partition: { name } }) => name).sort()).toEqual(
    [partition.name, partitionOf("fact_rating", notWhole).name].sort(),
  );
  const { rows } = await pool.query<{ indexdef: string }>(
    "select indexdef from pg_indexes where tablename = $1 order by indexdef",
    [partition.name],
  );
  expect(rows.map(({ indexdef }) => indexdef.replace(/INDEX \S+ ON .* USING/, "INDEX USING"))).toEqual([
    "CREATE INDEX USING brin (from_place, until_place)",
    "CREATE UNIQUE INDEX USING btree (user_id, movie_id, until_place)",
  ]);
  const again = pool.query(`insert into ${partition.quoted} (user_id, movie_id) values (1, 1)`);
  await expect(again).rejects.toThrow("duplicate key");
});

test("a question about the published ratings looks at no other partition", async () => {
  await pool.query(
    "create table gold.fact_rating_else partition of gold.fact_rating for values in (gold.run_key('else'))",
  );
  const read = async (question: string) => {
    const { rows } = await pool.query<{ "QUERY PLAN": unknown }>(`explain (analyze, format json) ${question}`);
    const nodes = [...JSON.stringify(rows).matchAll(/"Relation Name":"(\w+)".*?"Actual Loops":(\d+)/g)];
    return new Set(nodes.filter(([, , loops]) => loops !== "0").map(([, relation]) => relation));
  };
  const { name } = partitionOf("fact_rating", full);
  const ofRun = await read(`select count(*) from gold.fact_rating where run_key = gold.run_key('${full}')`);
  expect(ofRun).toEqual(new Set([name]));
  const published = await read("select count(*) from marts.fact_rating");
  expect(published).toContain(name);
  expect(published).not.toContain("fact_rating_else");
});
