import type { Box } from "../openBox.ts";
import type { ServiceStatus } from "../status.ts";
import { runningProcess } from "./processes.ts";
import { recipes } from "./recipes.ts";

/** The state of every service, by its own protocol. */
export function processStatus(box: Box): Promise<ServiceStatus[]> {
  const names = Object.keys(recipes).filter((name) => !recipes[name]?.oneShot);
  return Promise.all(names.map((name) => serviceStatus(box, name)));
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
