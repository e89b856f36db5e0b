import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/**
 * When the process began, in the system's own notation, or undefined when there is none.
 * With the pid it names one process for good: a pid alone may be given to another one later.
 */
export function processStart(pid: number): string | undefined {
  if (existsSync("/proc/self/stat")) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [state, threads, start] = [fields[0], Number(fields[17]), fields[19]];
      // Threads that outlive the first one still hold the process's ports and files.
      return state === "Z" && threads <= 1 ? undefined : start;
    } catch {
      return undefined;
    }
  }
  try {
    // The same text whatever the language and time zone of the shell that asks.
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", env }).trim() || undefined;
  } catch {
    return undefined;
  }
}
