import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { BoxError } from "../boxError.ts";
import { homePath } from "../boxHome.ts";
import { processStart } from "./processIdentity.ts";

const path = () => homePath("run", "lock");

/** Runs the work while no other command starts or stops this box. */
export async function withBoxLock<T>(work: () => Promise<T>): Promise<T> {
  mkdirSync(homePath("run"), { recursive: true });
  const own = `${process.pid} ${processStart(process.pid)}`;
  try {
    writeFileSync(path(), own, { flag: "wx" });
  } catch {
    const holder = readHolder();
    if (holder)
      throw new BoxError(`another ./box command (pid ${holder}) is starting or stopping this box; wait for it to end`);
    writeFileSync(path(), own);
  }
  try {
    return await work();
  } finally {
    rmSync(path(), { force: true });
  }
}

function readHolder(): number | undefined {
  try {
    const [pid, start] = readFileSync(path(), "utf8").split(" ");
    return processStart(Number(pid)) === start ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}
