import { chmodSync, mkdirSync, statSync } from "node:fs";
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

/** Makes a folder that only its owner may look into; another user's, or one shared by all, stays as it is. */
function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = statSync(folder);
  const isShared = (mode & 0o1000) !== 0;
  if ((mode & 0o077) !== 0 && !isShared && uid === process.getuid?.()) chmodSync(folder, 0o700);
}

export function openBox(): Box {
  makePrivate(homePath());
  const settings = readSettings();
  const services = readServices(settings, secretsFile());
  const environment = services.get("airflow-scheduler")?.environment ?? {};
  return { settings, services, environment };
}
