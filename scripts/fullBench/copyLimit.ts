import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";

/**
 * Copies the published fact_rating from a file into a table of its own, as `psql \copy` does: the text format, one
 * connection. The file is made before; the table is made in the same transaction and goes with it.
 */
export async function copyLimit(client: pg.Client, runId: string, file: string) {
  const columns = "user_id, movie_id, tmdb_id, rating_tenths, rated_at";
  const ratings = "select user_id, movie_id, tmdb_id, cast(rating * 10 as smallint), rated_at from marts.fact_rating";
  await pipeline(client.query(copyTo(`copy (${ratings}) to stdout`)), createWriteStream(file));
  await client.query("begin");
  try {
    await client.query("create table gold.bench_fact_rating (like gold.fact_rating including defaults)");
    const key = `gold.run_key(${client.escapeLiteral(runId)})`;
    await client.query(`alter table gold.bench_fact_rating alter run_key set default ${key}`);
    const begin = performance.now();
    const copy = client.query(copyFrom(`copy gold.bench_fact_rating (${columns}) from stdin with (freeze)`));
    await pipeline(createReadStream(file, { highWaterMark: 1 << 18 }), copy);
    const seconds = (performance.now() - begin) / 1000;
    return { rows: copy.rowCount, seconds, bytes: (await stat(file)).size };
  } finally {
    await client.query("rollback");
  }
}
