import type pg from "pg";

/** Does the work in one transaction on one connection. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const result = await work(client);
    await client.query("commit");
    client.release();
    return result;
  } catch (error) {
    // A connection that cannot roll back is thrown away; the server rolls back then.
    const broken = await client.query("rollback").then(
      () => false,
      () => true,
    );
    client.release(broken);
    throw error;
  }
}

/** Whoever publishes a version and whoever removes one take this lock, so neither does it under the other's feet. */
const versionsLock = "hashtextextended('boxoffice.versions', 0)";

/** Holds the versions as they are until the transaction ends. */
export async function lockVersions(client: pg.PoolClient): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(${versionsLock})`);
}

/** Removes versions in several transactions while none is published. */
export async function whileNonePublishes<T>(pool: pg.Pool, work: () => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query(`select pg_advisory_lock(${versionsLock})`);
    return await work();
  } finally {
    // The lock goes with the connection.
    client.release(true);
  }
}

/** The run that readers see, or null before the first. */
export async function publishedRun(db: pg.Pool | pg.PoolClient): Promise<string | null> {
  const { rows } = await db.query<{ run_id: string | null }>("select run_id from marts.current");
  return rows[0]?.run_id ?? null;
}
