import pg from "pg";
import { BoxError } from "./boxError.ts";
import type { BoxClient } from "./openBox.ts";
import { setting } from "./settings.ts";

/** A connection to the warehouse; whoever asks for it ends it. */
export async function connectWarehouse({ environment }: BoxClient): Promise<pg.Client> {
  const client = new pg.Client({
    host: setting(environment, "WAREHOUSE_HOST"),
    port: Number(setting(environment, "WAREHOUSE_PORT")),
    database: setting(environment, "WAREHOUSE_DB"),
    user: setting(environment, "WAREHOUSE_USER"),
    password: setting(environment, "WAREHOUSE_PASSWORD"),
    connectionTimeoutMillis: 5_000,
  });
  try {
    await client.connect();
  } catch (cause) {
    throw new BoxError(
      `the warehouse does not answer (${(cause as Error).message}). Start the box with ./box up`,
      1,
      cause,
    );
  }
  return client;
}
