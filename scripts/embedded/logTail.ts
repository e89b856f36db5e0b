import { existsSync, readFileSync } from "node:fs";
import { logPath } from "./processes.ts";

/** The last lines of a service's log. */
export function logTail(name: string, lines = 15): string {
  if (!existsSync(logPath(name))) return "(no log)";
  return readFileSync(logPath(name), "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}
