import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

const hasProc = existsSync("/proc/self/stat");

function everyPid(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** Parent of every process of this machine. */
function parents(): Map<number, number> {
  if (!hasProc) {
    const rows = execFileSync("ps", ["-axo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
    return new Map(rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]));
  }
  const found = new Map<number, number>();
  for (const pid of everyPid()) {
    const stat = readIfThere(`/proc/${pid}/stat`);
    const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
    if (parent !== undefined) found.set(pid, Number(parent));
  }
  return found;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The processes and all their descendants that live now. */
export function withDescendants(pids: readonly number[]): number[] {
  const tree = parents();
  const found = new Set(pids.filter((pid) => tree.has(pid)));
  let grown = true;
  while (grown) {
    grown = false;
    for (const [pid, parent] of tree) {
      if (found.has(parent) && !found.has(pid)) {
        found.add(pid);
        grown = true;
      }
    }
  }
  return [...found];
}

/** The processes that have a variable of this value in their environment, as far as this user may look into it. */
export function withVariable(name: string, value: string): number[] {
  const assignment = `${name}=${value}`;
  if (!hasProc) {
    const rows = execFileSync("ps", ["-axEww", "-o", "pid=,command="], { encoding: "utf8", maxBuffer: 1 << 28 });
    const marked = rows.split("\n").filter((row) => `${row} `.includes(` ${assignment} `));
    return marked.map((row) => Number.parseInt(row, 10));
  }
  return everyPid().filter((pid) => readIfThere(`/proc/${pid}/environ`).split("\0").includes(assignment));
}

/** Memory of a process in bytes: its proportional share (PSS) where the system tells, else what is resident. */
export function memoryOf(pid: number): number {
  if (hasProc) {
    const kibibytes = /^Pss:\s+(\d+) kB/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  }
  try {
    return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).trim()) * 1024;
  } catch {
    return 0;
  }
}
