import { existsSync, readFileSync } from "node:fs";
import { rootPath } from "../boxHome.ts";
import { disk, type Finding, gibibyte, portFindings } from "../doctor.ts";
import type { Box } from "../openBox.ts";
import { portNames } from "../settings.ts";
import { containers } from "./compose.ts";
import { type Engine, isAtLeast, oldestCompose, readEngine } from "./engine.ts";

const neededMemory = 6 * gibibyte;
const publishedPorts = (names: string[]) => names.filter((name) => !/CONTROLLER|MASTER_PORT|WORKER/.test(name));

/** What Docker lacks to run the box, or what is in the way, each with its remedy. */
export async function examineDocker({ settings }: Box): Promise<Finding[]> {
  const engine = await readEngine();
  if (!engine) {
    const remedy = "start Docker, or install it, or run without it: ./box up --runtime embedded";
    return [{ check: "Docker", level: "stop", found: "no engine answers", remedy }];
  }
  return [
    { check: "Docker", level: "ok", found: `${engine.version} on ${engine.platform}, ${engine.processors} processors` },
    compose(engine),
    memory(engine),
    architecture(engine),
    ...(existsSync(engine.rootFolder) ? [await disk(engine.rootFolder, "Docker's data-root setting")] : []),
    ...owner(settings.AIRFLOW_UID),
    lineEnds(),
    ...proxy(),
    ...(await ports(settings)),
  ];
}

function compose({ composeVersion }: Engine): Finding {
  const remedy = `install Docker Compose ${oldestCompose} or newer`;
  if (!composeVersion) return { check: "Compose", level: "stop", found: "none", remedy };
  const isEnough = isAtLeast(composeVersion, oldestCompose);
  return { check: "Compose", level: isEnough ? "ok" : "stop", found: composeVersion, ...(isEnough ? {} : { remedy }) };
}

function memory(engine: Engine): Finding {
  const found = `${(engine.memory / gibibyte).toFixed(1)} GiB given to Docker`;
  if (engine.memory >= neededMemory * 0.95) return { check: "Memory", level: "ok", found };
  const remedy = "the box may take up to 6 GiB: give Docker more (Docker Desktop: Settings, Resources)";
  return { check: "Memory", level: engine.memory < neededMemory / 2 ? "stop" : "warn", found, remedy };
}

function architecture({ platform }: Engine): Finding {
  const isKnown = /\/(x86_64|amd64|aarch64|arm64)$/.test(platform);
  if (isKnown) return { check: "Architecture", level: "ok", found: platform };
  return { check: "Architecture", level: "stop", found: platform, remedy: "the images are for amd64 and arm64" };
}

function owner(uid: string | undefined): Finding[] {
  if (uid === undefined || /^\d+$/.test(uid)) return [];
  return [{ check: "AIRFLOW_UID", level: "stop", found: uid, remedy: "set it to a number, as `id -u` prints" }];
}

/** Git for Windows may have changed the ends of lines, which breaks scripts in containers. */
function lineEnds(): Finding {
  const scripts = ["images/airflow/service.sh", "images/spark/service.sh", "config/local.env"];
  const changed = scripts.filter((file) => readFileSync(rootPath(file), "utf8").includes("\r\n"));
  if (changed.length === 0) return { check: "Line ends", level: "ok", found: "LF" };
  const remedy = "git config core.autocrlf input; git rm -rq --cached . && git reset --hard";
  return { check: "Line ends", level: "stop", found: `CRLF in ${changed.join(", ")}`, remedy };
}

function proxy(): Finding[] {
  const name = ["HTTPS_PROXY", "https_proxy"].find((variable) => process.env[variable]);
  if (!name) return [];
  const exempt = process.env.NO_PROXY ?? process.env.no_proxy ?? "";
  if (/(^|,)127\.0\.0\.1(,|$)/.test(exempt)) return [{ check: "Proxy", level: "ok", found: name }];
  const remedy = "add 127.0.0.1 and localhost to NO_PROXY, or the box's own addresses go through the proxy";
  return [{ check: "Proxy", level: "warn", found: `${name} is set`, remedy }];
}

async function ports(settings: Box["settings"]): Promise<Finding[]> {
  const isRunning = (await containers()).some(({ State }) => State === "running");
  if (isRunning) return [{ check: "Ports", level: "ok", found: "held by this box" }];
  return portFindings(
    settings,
    publishedPorts(portNames()).map((variable) => ({
      service: variable.replace(/_PORT$/, "").toLowerCase(),
      variable,
    })),
  );
}
