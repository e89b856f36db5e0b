import { runningProcess } from "./embedded/processes.ts";
import { recipes } from "./embedded/recipes.ts";
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
  published: { run_id: string; published_at: string } | null;
}

/** What runs, and which run's answers are published. */
export async function readStatus(box: Box): Promise<BoxStatus> {
  const names = Object.keys(recipes).filter((name) => !recipes[name]?.oneShot);
  const services = await Promise.all(names.map((name) => serviceStatus(box, name)));
  return { services, published: await published(box).catch(() => null) };
}

async function serviceStatus({ settings, services }: Box, name: string): Promise<ServiceStatus> {
  const recipe = recipes[name];
  const service = services.get(name);
  const record = runningProcess(name);
  const ports = (recipe?.ports ?? []).map((variable) => Number(settings[variable]));
  if (!recipe || !service || !record) return { service: name, state: "down", pid: null, since: null, ports };
  const isReady = await recipe.isReady({ settings, service }).catch(() => false);
  return { service: name, state: isReady ? "ready" : "starting", pid: record.pid, since: record.since, ports };
}

async function published(box: Box): Promise<BoxStatus["published"]> {
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
