import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BoxError } from "./boxError.ts";
import { homePath } from "./boxHome.ts";
import { processStart } from "./embedded/processIdentity.ts";
import { interruption } from "./interrupt.ts";

/**
 * Takes the lock, or answers the pid of the living process that has it.
 * A lock whose holder died, or that names none, is taken over.
 */
function take(path: string): number | undefined {
  mkdirSync(dirname(path), { recursive: true });
  const written = `${path}.${process.pid}`;
  writeFileSync(written, `${process.pid} ${processStart(process.pid)}`);
  try {
    linkSync(written, path);
    return undefined;
  } catch {
    const holder = holderOf(path);
    if (holder !== undefined) return holder;
    removeStale(path, `${written}.stale`);
    return take(path);
  } finally {
    rmSync(written, { force: true });
  }
}

/** Removes the lock of a holder that died, but not one that another process has made in its place meanwhile. */
function removeStale(path: string, aside: string): void {
  try {
    renameSync(path, aside);
    if (holderOf(aside) !== undefined) linkSync(aside, path);
  } catch {
    // Another process removed it, or has made a new one.
  }
  rmSync(aside, { force: true });
}

function holderOf(path: string): number | undefined {
  try {
    const [, pid, start] = /^(\d+) (.+)$/.exec(readFileSync(path, "utf8")) ?? [];
    return start !== undefined && processStart(Number(pid)) === start ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

/** Runs the work when no other process holds the lock; waits for it to be free. */
export async function whenFree<T>(path: string, onWait: (pid: number) => void, work: () => Promise<T>): Promise<T> {
  for (let holder = take(path); holder !== undefined; holder = take(path)) {
    onWait(holder);
    await sleep(500, undefined, { signal: interruption });
  }
  return work().finally(() => rmSync(path, { force: true }));
}

/** Runs the work while no other command starts or stops this box; refuses when one does. */
export async function withBoxLock<T>(work: () => Promise<T>): Promise<T> {
  const path = homePath("run", "lock");
  const holder = take(path);
  if (holder !== undefined) {
    throw new BoxError(`another ./box command (pid ${holder}) is starting or stopping this box; wait for it to end`);
  }
  return work().finally(() => rmSync(path, { force: true }));
}
