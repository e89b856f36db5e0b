import { mkdirSync } from "node:fs";
import { homePath } from "./boxHome.ts";
import { readServices, type ServiceDescription } from "./composeFile.ts";
import { secretsFile } from "./secrets.ts";
import { readSettings, type Variables } from "./settings.ts";

/** A box as its configuration describes it, whether it runs or not. */
export interface Box {
  settings: Variables;
  services: Map<string, ServiceDescription>;
  /** Addresses and secrets of every service, as a client on this machine uses them. */
  environment: Variables;
}

export function openBox(): Box {
  mkdirSync(homePath(), { recursive: true });
  const settings = readSettings();
  const services = readServices(settings, secretsFile());
  const environment = services.get("airflow-scheduler")?.environment ?? {};
  return { settings, services, environment };
}
