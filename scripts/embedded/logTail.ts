import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { logPath } from "./processes.ts";

/** A log may be larger than a string can be. */
const longestTail = 1 << 20;

/** The last lines of a service's log. */
export function logTail(name: string, lines = 15): string {
  if (!existsSync(logPath(name))) return "(no log)";
  const file = openSync(logPath(name), "r");
  try {
    const { size } = fstatSync(file);
    const end = Buffer.alloc(Math.min(size, longestTail));
    readSync(file, end, 0, end.length, size - end.length);
    return end.toString().trimEnd().split("\n").slice(-lines).join("\n");
  } finally {
    closeSync(file);
  }
}
