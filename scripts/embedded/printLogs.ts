import { existsSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { BoxError, exitCode } from "../boxError.ts";
import { homePath } from "../boxHome.ts";
import { logTail } from "./logTail.ts";

/** The last lines of one service's log, or of every service's. */
export function printLogs(service: string | undefined, lines: number): void {
  const folder = homePath("logs");
  const names = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith(".log"))
        .map((file) => basename(file, ".log"))
    : [];
  if (service !== undefined && !names.includes(service)) {
    throw new BoxError(`there is no log of '${service}'; there are: ${names.join(", ") || "none"}`, exitCode.usage);
  }
  for (const name of service === undefined ? names : [service]) {
    const prefix = service === undefined ? `${name} | ` : "";
    for (const text of logTail(name, lines).split("\n")) console.log(`${prefix}${text}`);
  }
}
