import type { Box } from "./openBox.ts";
import { connectWarehouse } from "./warehouseClient.ts";

export interface ServiceStatus {
  service: string;
  state: "ready" | "starting" | "down";
  pid: number | null;
  since: string | null;
  ports: number[];
}

export interface BoxStatus {
  services: ServiceStatus[];
  /** Null before the first publication; absent while the warehouse does not answer. */
  published?: { run_id: string; published_at: string } | null;
}

/** What runs, and which run's answers are published. */
export async function readStatus(box: Box): Promise<BoxStatus> {
  const services = await box.runtime.status(box);
  const told = await published(box).catch(() => undefined);
  return { services, ...(told === undefined ? {} : { published: told }) };
}

async function published(box: Box): Promise<NonNullable<BoxStatus["published"]> | null> {
  const client = await connectWarehouse(box);
  try {
    const { rows } = await client.query<{ run_id: string | null; published_at: Date | null }>(
      "select run_id, published_at from marts.current",
    );
    const current = rows[0];
    if (!current?.run_id || !current.published_at) return null;
    return { run_id: current.run_id, published_at: current.published_at.toISOString() };
  } finally {
    await client.end();
  }
}
