import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ServiceError } from "@boxoffice/platform/serviceError";
import pg from "pg";
import type { Logger } from "pino";
import { inTransaction } from "./warehouse.ts";

/** Applies the SQL files of a directory that the warehouse does not have yet, in the order of their names. */
export async function migrate(pool: pg.Pool, directory: string, log: Logger): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  for (const name of names) {
    const sql = await readFile(join(directory, name), "utf8");
    const sha256 = createHash("sha256").update(sql).digest("hex");
    const applied = await inTransaction(pool, (client) => applyOnce(client, name, sha256, sql));
    if (applied) log.info({ migration: name }, "migration applied");
  }
}

async function applyOnce(client: pg.PoolClient, name: string, sha256: string, sql: string): Promise<boolean> {
  await client.query("select pg_advisory_xact_lock(hashtextextended('loader.migrations', 0))");
  await client.query("create schema if not exists loader");
  await client.query(
    `create table if not exists loader.migrations (
       name text primary key, sha256 text not null, applied_at timestamptz not null default now()
     )`,
  );
  const { rows } = await client.query<{ sha256: string }>("select sha256 from loader.migrations where name = $1", [
    name,
  ]);
  const [before] = rows;
  if (before && before.sha256 !== sha256) {
    throw new ServiceError(
      "changed_migration",
      `migration ${name} is not the one that was applied to this warehouse: add a new file, never change one`,
    );
  }
  if (before) return false;
  await client.query(sql).catch((cause: unknown) => {
    throw waitsForLock(name, cause);
  });
  await client.query("insert into loader.migrations (name, sha256) values ($1, $2)", [name, sha256]);
  return true;
}

/** SQLSTATE lock_not_available. */
const lockNotAvailable = "55P03";

/** What a migration threw, worded where it would rather begin anew than have all others queue behind it. */
function waitsForLock(name: string, cause: unknown): unknown {
  if (!(cause instanceof pg.DatabaseError && cause.code === lockNotAvailable)) return cause;
  const message = `migration ${name} needs a table that a load, dbt or a reader's transaction holds: it is tried again. Let runs end, and end that transaction`;
  return new ServiceError("warehouse_in_use", message, { retryable: true, cause });
}
