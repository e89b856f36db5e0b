import { existsSync, readFileSync } from "node:fs";
import { BoxError, exitCode } from "../boxError.ts";
import { rootPath } from "../boxHome.ts";
import { disk, type Finding, gibibyte, type NeededPort, portFindings } from "../doctor.ts";
import { interruption } from "../interrupt.ts";
import type { Box } from "../openBox.ts";
import { portNames } from "../settings.ts";
import { containers } from "./compose.ts";
import { type ConfiguredService, configuredServices } from "./composeConfig.ts";
import { type Engine, isAtLeast, oldestCompose, readEngine } from "./engine.ts";

/** Refuses to go on where a finding says that the box cannot work. */
export function refuseProblems(findings: readonly Finding[]): void {
  const problems = findings.filter(({ level }) => level === "stop");
  if (problems.length === 0) return;
  const lines = problems.map(({ check, found, remedy }) => `${check}: ${found}${remedy ? `\n  ${remedy}` : ""}`);
  throw new BoxError(lines.join("\n"), exitCode.environment);
}

/** Whether there is an engine with a Compose that reads docker-compose.yml. */
export async function examineEngine(): Promise<Finding[]> {
  return engineFindings(await readEngine());
}

/** What Docker lacks to run the box, or what is in the way, each with its remedy. */
export async function examineDocker({ settings }: Box): Promise<Finding[]> {
  const engine = await readEngine();
  const findings = engineFindings(engine);
  if (!engine) return findings;
  // Only Compose knows the services and what they ask for.
  const isAbleToRead = findings.every(({ level }) => level !== "stop");
  return [
    ...findings,
    architecture(engine),
    ...(existsSync(engine.rootFolder) ? [await disk(engine.rootFolder, "Docker's data-root setting")] : []),
    ...owner(settings.AIRFLOW_UID),
    lineEnds(),
    ...proxy(),
    ...(isAbleToRead ? await servicesFindings(engine, settings) : []),
  ];
}

function engineFindings(engine: Engine | undefined): Finding[] {
  if (!engine) {
    const remedy = "start Docker, or install it, or run without it: ./box up --runtime embedded";
    return [{ check: "Docker", level: "stop", found: "no engine answers", remedy }];
  }
  const found = `${engine.version} on ${engine.platform}, ${engine.processors} processors`;
  return [{ check: "Docker", level: "ok", found }, compose(engine)];
}

function compose({ composeVersion }: Engine): Finding {
  const remedy = `install Docker Compose ${oldestCompose} or newer`;
  if (!composeVersion) return { check: "Compose", level: "stop", found: "none", remedy };
  const isEnough = isAtLeast(composeVersion, oldestCompose);
  return { check: "Compose", level: isEnough ? "ok" : "stop", found: composeVersion, ...(isEnough ? {} : { remedy }) };
}

/** What the services of the chosen profiles ask of the machine. */
async function servicesFindings(engine: Engine, settings: Box["settings"]): Promise<Finding[]> {
  let services: Record<string, ConfiguredService>;
  try {
    services = await configuredServices();
  } catch (error) {
    interruption.throwIfAborted();
    const found = error instanceof Error ? error.message : String(error);
    const remedy = "correct it in .env, in the shell's variables or in the file of overrides";
    return [{ check: "Configuration", level: "stop", found, remedy }];
  }
  return [memory(engine, services), fileSharing(services), ...(await ports(settings, services))];
}

function memory(engine: Engine, services: Record<string, ConfiguredService>): Finding {
  const needed = Object.values(services).reduce((sum, { mem_limit }) => sum + mem_limit, 0);
  const found = `${inGibibytes(engine.memory)} given to Docker`;
  if (engine.memory >= needed * 0.95) return { check: "Memory", level: "ok", found };
  const remedy = `the services may take up to ${inGibibytes(needed)}: give Docker more (Docker Desktop: Settings, Resources)`;
  return { check: "Memory", level: engine.memory < needed / 2 ? "stop" : "warn", found, remedy };
}

const inGibibytes = (bytes: number) => `${(bytes / gibibyte).toFixed(1)} GiB`;

/** Docker Desktop lets containers see only the folders of this machine that it is told to share. */
function fileSharing(services: Record<string, ConfiguredService>): Finding {
  const check = "File sharing";
  const mounted = Object.entries(services).flatMap(([name, { volumes }]) =>
    volumes.filter(({ type }) => type === "bind").map(({ source }) => `${source} in ${name}`),
  );
  if (mounted.length === 0) return { check, level: "ok", found: "none needed" };
  const remedy = "Docker Desktop must share them: Settings, Resources, File sharing";
  return { check, level: "warn", found: mounted.join(", "), remedy };
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

/** The ports of services that do not run yet. */
async function ports(settings: Box["settings"], services: Record<string, ConfiguredService>): Promise<Finding[]> {
  const all = await containers();
  const running = new Set(all.filter(({ State }) => State === "running").map(({ Service }) => Service));
  const down = Object.entries(services).filter(([service]) => !running.has(service));
  return portFindings(down.flatMap(([service, { ports }]) => neededPorts(settings, service, ports)));
}

function neededPorts(settings: Box["settings"], service: string, ports: ConfiguredService["ports"]): NeededPort[] {
  return ports.flatMap(({ published, protocol }) => {
    const port = Number(published);
    // None is one that the engine chooses; a range is as good as one, as it takes a free one of it.
    if (!Number.isInteger(port) || port < 1 || protocol === "udp") return [];
    return [{ service, port, variable: portNames().find((name) => settings[name] === published) }];
  });
}
