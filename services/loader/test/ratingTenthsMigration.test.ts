import { rm } from "node:fs/promises";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../src/migrations.ts";
import { addUniqueKey, attachPartition, createPartition, partitionOf, partitionState } from "../src/partitions.ts";
import { inTransaction } from "../src/warehouse.ts";
import { migrationsBefore, migrationsDirectory, newDatabase, quietLog } from "./engines.ts";

let pool: pg.Pool;
let drop: () => Promise<void>;
let before: string;

beforeAll(async () => {
  ({ pool, drop } = await newDatabase());
  before = await migrationsBefore("009");
  await migrate(pool, before, quietLog);
});
afterAll(async () => {
  await rm(before, { recursive: true });
  await drop();
});

const runs = ["first", "second", "broken-off"] as const;
const commentOf = (run_id: string) => ({
  run_id,
  prefix: `gold/${run_id}/try1`,
  loaded_at: "2026-11-27T09:00:00.000Z",
});
const indexesOf = async (name: string) =>
  (await pool.query("select indexdef from pg_indexes where tablename = $1 order by indexdef", [name])).rows;
const ratingsOf = async (run: string, rating: string) => {
  const { quoted } = partitionOf("fact_rating", run);
  const { rows } = await pool.query(
    `select user_id, (${rating})::float as stars, from_place, until_place from ${quoted} order by user_id, from_place`,
  );
  return rows;
};

/** A partition as the loader made it before: a rating that was replaced, one of odd tenths and one without stars. */
async function putPartition(run: string): Promise<void> {
  const partition = partitionOf("fact_rating", run);
  const { name, quoted } = partition;
  await inTransaction(pool, async (client) => {
    await createPartition(client, partition, commentOf(run));
    await client.query(
      `insert into ${quoted} (user_id, movie_id, tmdb_id, rating, from_place, until_place)
       values (1, 1, 862, 2.5, 0, 1), (1, 1, 862, 5, 1, 32767), (2, 1, 862, 3.3, 0, 32767), (3, 1, 862, null, 0, 32767)`,
    );
    await addUniqueKey(client, partition);
    await client.query(`create index "${name}_places" on ${quoted} using brin (from_place, until_place)`);
    if (run !== "broken-off") await attachPartition(client, partition, run);
  });
}

test("all versions keep their stars, places, indexes and comments; what was not attached stays as it is", async () => {
  for (const run of runs) await putPartition(run);
  const known = await Promise.all(
    runs.map(async (run) => {
      const partition = partitionOf("fact_rating", run);
      const [state, indexes] = [await partitionState(pool, partition), await indexesOf(partition.name)];
      return { run, partition, state, indexes, ratings: await ratingsOf(run, "rating") };
    }),
  );

  await migrate(pool, migrationsDirectory, quietLog);

  for (const { run, partition, state, indexes, ratings } of known) {
    expect(await partitionState(pool, partition)).toEqual(state);
    expect(await indexesOf(partition.name)).toEqual(indexes);
    expect(await ratingsOf(run, run === "broken-off" ? "rating" : "rating_tenths / 10.0")).toEqual(ratings);
  }
});

test("where a reader's transaction holds the ratings it gives way and says what to do", async () => {
  const database = await newDatabase();
  try {
    await migrate(database.pool, before, quietLog);
    await inTransaction(database.pool, async (reader) => {
      await reader.query("select from marts.fact_rating");
      await expect(migrate(database.pool, migrationsDirectory, quietLog)).rejects.toMatchObject({
        code: "warehouse_in_use",
        retryable: true,
        message: expect.stringContaining("009_rating_tenths.sql"),
      });
    });
    await migrate(database.pool, migrationsDirectory, quietLog);
  } finally {
    await database.drop();
  }
});
