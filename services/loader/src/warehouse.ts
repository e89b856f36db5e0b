import pg from "pg";
import type { LoaderConfig } from "./config.ts";

/** The connections to the warehouse. */
export function warehousePool(config: LoaderConfig): pg.Pool {
  return new pg.Pool({
    host: config.WAREHOUSE_HOST,
    port: config.WAREHOUSE_PORT,
    database: config.WAREHOUSE_DB,
    user: config.WAREHOUSE_USER,
    password: config.WAREHOUSE_PASSWORD,
    application_name: "boxoffice-loader",
    max: 8,
    connectionTimeoutMillis: 10_000,
  });
}

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

/** The run that readers see, or null before the first. */
export async function publishedRun(pool: pg.Pool): Promise<string | null> {
  const { rows } = await pool.query<{ run_id: string | null }>("select run_id from marts.current");
  return rows[0]?.run_id ?? null;
}
