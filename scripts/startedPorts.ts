import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { BoxError, exitCode } from "./boxError.ts";
import { homePath } from "./boxHome.ts";
import { recordedProcesses, runningProcess } from "./embedded/processes.ts";
import type { Variables } from "./settings.ts";

const file = () => homePath("ports.json");
const ports = z.record(z.string(), z.string());

/** Keeps the ports that the box is started with, for the commands that come after. */
export function recordPorts(settings: Variables, names: readonly string[]): void {
  const chosen = Object.fromEntries(names.map((name) => [name, settings[name]]));
  writeFileSync(`${file()}.part`, JSON.stringify(chosen));
  renameSync(`${file()}.part`, file());
}

/** The ports that the box was started with, while any of it runs. */
export function portsInUse(): Variables {
  if (!existsSync(file()) || !recordedProcesses().some(runningProcess)) return {};
  return ports.parse(JSON.parse(readFileSync(file(), "utf8")));
}

/** Refuses a port that the shell asks for while the box runs on another. */
export function refuseOtherPorts(wanted: Variables, inUse: Variables, names: readonly string[]): void {
  const other = names.filter((name) => inUse[name] !== undefined && inUse[name] !== wanted[name]);
  if (other.length === 0) return;
  const differences = other.map((name) => `${name} ${inUse[name]}, not ${wanted[name]}`);
  throw new BoxError(
    `this box runs on other ports than the shell asks for: ${differences.join("; ")}.\nTo move it, ./box down first; to use it as it is, leave those variables out`,
    exitCode.usage,
  );
}
