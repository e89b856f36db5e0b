import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { BoxError, exitCode } from "./boxError.ts";
import { boxHome, homePath } from "./boxHome.ts";
import { recordedProcesses, runningProcess } from "./embedded/processes.ts";
import type { Variables } from "./settings.ts";

export const runtimeNames = ["embedded", "docker"] as const;
const startedBox = z.object({ runtime: z.enum(runtimeNames), ports: z.record(z.string(), z.string()) });
type StartedBox = z.infer<typeof startedBox>;
export type RuntimeName = StartedBox["runtime"];

const file = () => homePath("started.json");

/** Keeps how the box is started, for the commands that come after. */
export function recordStart(runtime: RuntimeName, settings: Variables, portNames: readonly string[]): void {
  const ports = Object.fromEntries(portNames.map((name) => [name, settings[name]]));
  write(startedBox.parse({ runtime, ports }));
}

function write(started: StartedBox): void {
  mkdirSync(boxHome, { recursive: true, mode: 0o700 });
  writeFileSync(`${file()}.part`, JSON.stringify(started));
  renameSync(`${file()}.part`, file());
}

function read(): StartedBox | undefined {
  return existsSync(file()) ? startedBox.parse(JSON.parse(readFileSync(file(), "utf8"))) : undefined;
}

/** The runtime that has the box's state. */
export const usedRuntime = (): RuntimeName | undefined => read()?.runtime;

/** The ports that the box was started with, while it runs. */
export function portsInUse(): Variables {
  const started = read();
  if (!started) return {};
  // Containers come back after a restart of the machine, processes do not.
  const isRunning = started.runtime === "docker" || recordedProcesses().some(runningProcess);
  return isRunning ? started.ports : {};
}

/** The box was ended; its state stays with its runtime. */
export function forgetPorts(): void {
  const started = read();
  if (started) write({ ...started, ports: {} });
}

/** The box's state was removed. */
export function forgetStart(): void {
  rmSync(file(), { force: true });
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
