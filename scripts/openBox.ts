import { chmodSync, mkdirSync, statSync } from "node:fs";
import { homePath } from "./boxHome.ts";
import { chooseRuntime } from "./chooseRuntime.ts";
import { readServices, type ServiceDescription } from "./composeFile.ts";
import type { Runtime } from "./runtime.ts";
import { readSettings, type Variables } from "./settings.ts";
import type { RuntimeName } from "./startedBox.ts";

/** What a client of a box knows of it. */
export interface BoxClient {
  /** Addresses and secrets of every service, as the client uses them. */
  environment: Variables;
}

/** A box as its configuration describes it, whether it runs or not. */
export interface Box extends BoxClient {
  runtime: Runtime;
  settings: Variables;
  services: Map<string, ServiceDescription>;
}

/** Makes a folder that only its owner may look into; another user's, or one shared by all, stays as it is. */
function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = statSync(folder);
  const isShared = (mode & 0o1000) !== 0;
  if ((mode & 0o077) !== 0 && !isShared && uid === process.getuid?.()) chmodSync(folder, 0o700);
}

interface OpenOptions {
  runtime?: RuntimeName | undefined;
  isToStart?: boolean;
}

/** The box of this checkout and BOX_HOME, in the runtime it was started in, or else in the one that is asked for. */
export async function openBox({ runtime: wanted, isToStart = false }: OpenOptions = {}): Promise<Box> {
  const settings = readSettings();
  const runtime = await chooseRuntime(wanted);
  if (isToStart) {
    makePrivate(homePath());
    await runtime.prepare();
  }
  const services = readServices(settings, runtime.secretsFile());
  const environment = services.get("airflow-scheduler")?.environment ?? {};
  return { runtime, settings, services, environment };
}
