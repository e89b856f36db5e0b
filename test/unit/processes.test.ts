import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { findPython } from "../../scripts/install/python.ts";

const home = mkdtempSync(join(tmpdir(), "processes-"));
let box: typeof import("../../scripts/embedded/processes.ts") &
  typeof import("../../scripts/embedded/processIdentity.ts");

beforeAll(async () => {
  vi.stubEnv("BOX_HOME", home);
  box = {
    ...(await import("../../scripts/embedded/processes.ts")),
    ...(await import("../../scripts/embedded/processIdentity.ts")),
  };
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

const isAlive = (pid: number) => box.processStart(pid) !== undefined;

/** Waits for a program to have written the pids of its children. */
async function pidsIn(file: string, count: number): Promise<number[]> {
  const read = () => readFileSync(file, "utf8").trim().split("\n").map(Number);
  await expect.poll(() => read().length).toBe(count);
  return read();
}

/** A service with one child in its group and one that left it. */
async function startFamily(name: string) {
  const file = join(home, `${name}.pids`);
  writeFileSync(file, "");
  const program = `const { spawn } = require("node:child_process");
    for (const detached of [false, true]) {
      const { pid } = spawn("sleep", ["600"], { detached, stdio: "ignore" });
      require("node:fs").appendFileSync(process.env.PIDS, pid + "\\n");
    }
    setInterval(() => {}, 1000);`;
  const leader = box.startProcess(name, { command: process.execPath, args: ["-e", program], env: { PIDS: file } });
  return { leader: leader.pid, children: await pidsIn(file, 2) };
}

test("a service ends with its children", async () => {
  const { leader, children } = await startFamily("whole");
  await box.stopProcess("whole", "SIGTERM", 5);
  expect([leader, ...children].filter(isAlive)).toEqual([]);
  expect(box.recordedProcesses()).not.toContain("whole");
});

test("children whose parent was killed end too, and those of other services stay", async () => {
  const killed = await startFamily("killed");
  const other = await startFamily("other");
  process.kill(killed.leader, "SIGKILL");
  await expect.poll(() => isAlive(killed.leader)).toBe(false);
  expect(killed.children.filter(isAlive)).toEqual(killed.children);

  await box.stopProcess("killed", "SIGTERM", 5);
  expect(killed.children.filter(isAlive)).toEqual([]);
  expect(box.recordedProcesses()).not.toContain("killed");
  expect([other.leader, ...other.children].filter((pid) => !isAlive(pid))).toEqual([]);
  await box.stopProcess("other", "SIGTERM", 5);
});

test.runIf(process.platform === "linux")(
  "a service lives until its last thread ends, though its first one has",
  async () => {
    const program = `import ctypes, threading
threading.Thread(target=threading.Event().wait).start()
ctypes.CDLL(None).pthread_exit(None)`;
    const { pid } = box.startProcess("threads", { command: await findPython(), args: ["-c", program], env: {} });
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, "utf8")).toContain(") Z ");
    expect(box.runningProcess("threads")).toMatchObject({ pid });
    await box.stopProcess("threads", "SIGTERM", 5);
    expect(isAlive(pid)).toBe(false);
  },
);

test("a stranger's processes stay, though they are in the group that a dead service had", async () => {
  const file = join(home, "stranger.pids");
  const args = ["-c", `sleep 600 & echo $! > ${file}`];
  const stranger = spawn("sh", args, { detached: true, stdio: "ignore" });
  await new Promise((resolve) => stranger.once("close", resolve));
  const [pid = 0] = await pidsIn(file, 1);
  mkdirSync(join(home, "run"), { recursive: true });
  const record = { pid: stranger.pid, start: "1", since: new Date().toISOString() };
  writeFileSync(join(home, "run", "reused.json"), JSON.stringify(record));

  await box.stopProcess("reused", "SIGTERM", 5);
  expect(isAlive(pid)).toBe(true);
  process.kill(pid, "SIGKILL");
});
