import pg from "pg";
import type { Logger } from "pino";
import type { z } from "zod";
import type { warehouseEnvironment } from "./environment.ts";

export interface WarehousePoolOptions {
  /** What the warehouse calls its connections. */
  application: string;
  /** At most so many at a time. */
  connections: number;
  connectMilliseconds: number;
  log: Logger;
}

/** A warehouse that vanished is asked for after so long a silence, and given up by the system some minutes later. */
const keepAliveMilliseconds = 30_000;
/** Longer than a transaction waits for the lake between two statements: who rests so long comes no more. */
const restMilliseconds = 600_000;

/** Connections to the warehouse. One that is lost fails what it was used for, and nothing else. */
export function warehousePool(
  config: Readonly<z.infer<typeof warehouseEnvironment>>,
  { application, connections, connectMilliseconds, log }: WarehousePoolOptions,
): pg.Pool {
  const pool = new pg.Pool({
    host: config.WAREHOUSE_HOST,
    port: config.WAREHOUSE_PORT,
    database: config.WAREHOUSE_DB,
    user: config.WAREHOUSE_USER,
    password: config.WAREHOUSE_PASSWORD,
    application_name: application,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMilliseconds,
    idle_in_transaction_session_timeout: restMilliseconds,
    max: connections,
    connectionTimeoutMillis: connectMilliseconds,
  });
  const lost = (error: Error) => log.warn({ reason: error.message }, "a warehouse connection was lost");
  // The pool listens to connections that nobody uses; an error of one in use that nobody hears would end the process.
  pool.on("connect", (client) => client.on("error", lost));
  pool.on("error", () => {});
  return pool;
}
