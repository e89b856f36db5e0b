import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { homePath } from "../boxHome.ts";
import type { Variables } from "../settings.ts";
import { processStart } from "./processIdentity.ts";
import { withDescendants, withVariable } from "./processTree.ts";

const processRecord = z.object({ pid: z.number(), start: z.string(), since: z.string() });
export type ProcessRecord = z.infer<typeof processRecord>;

export interface Command {
  command: string;
  args: string[];
  env: Variables;
  cwd?: string;
}

/** A longer one is put aside, once, when its service starts. */
const largestLog = 20 << 20;

const recordPath = (name: string) => homePath("run", `${name}.json`);
/** Where the output of a service goes, of all its starts. */
export const logPath = (name: string) => homePath("logs", `${name}.log`);

/** The variable that every process of a service inherits, and is known by when its parent is gone: its record's path. */
const mark = "BOX_SERVICE";

/** Variables of the shell that a service may need; nothing else leaks into it. */
const inherited = [
  ...["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"],
  "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED",
];

/** What a service's process has of the shell's variables. */
export function inheritedEnvironment(): Variables {
  return Object.fromEntries(
    inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** Starts a detached process in a group of its own, its output appended to its log. */
export function startProcess(name: string, { command, args, env, cwd }: Command): ProcessRecord {
  mkdirSync(homePath("run"), { recursive: true });
  mkdirSync(homePath("logs"), { recursive: true });
  if (existsSync(logPath(name)) && statSync(logPath(name)).size > largestLog) {
    renameSync(logPath(name), `${logPath(name)}.1`);
  }
  const log = openSync(logPath(name), "a", 0o600);
  const child = spawn(command, args, {
    cwd: cwd ?? homePath(),
    // Airflow's processes write their titles over their environment unless SPT_NOENV is set.
    env: { ...inheritedEnvironment(), ...env, [mark]: recordPath(name), SPT_NOENV: "1" },
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.on("error", () => {});
  child.unref();
  const pid = child.pid;
  const start = pid === undefined ? undefined : processStart(pid);
  if (pid === undefined || start === undefined) throw new Error(`${name} did not start: ${command} could not be run`);
  const record = { pid, start, since: new Date().toISOString() };
  writeFileSync(`${recordPath(name)}.part`, JSON.stringify(record));
  renameSync(`${recordPath(name)}.part`, recordPath(name));
  return record;
}

/** The record of a process this box started and that still runs. */
export function runningProcess(name: string): ProcessRecord | undefined {
  const record = readRecord(name);
  return record && lives(record) ? record : undefined;
}

/** Nothing where there is no record, or one that a crash of the machine left unreadable. */
function readRecord(name: string): ProcessRecord | undefined {
  try {
    return processRecord.parse(JSON.parse(readFileSync(recordPath(name), "utf8")));
  } catch {
    return undefined;
  }
}

/** Names of the services this box has started, running or not. */
export function recordedProcesses(): string[] {
  if (!existsSync(homePath("run"))) return [];
  return readdirSync(homePath("run"))
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length));
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

type Identity = Pick<ProcessRecord, "pid" | "start">;

const lives = ({ pid, start }: Identity) => processStart(pid) === start;

/** Those of the processes that live, so that they are known again. */
function identified(pids: readonly number[]): Identity[] {
  return pids.flatMap((pid) => {
    const start = processStart(pid);
    return start === undefined ? [] : [{ pid, start }];
  });
}

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Ends a process of this box and its children: the given signal, then SIGKILL. Answers whether it had to be killed. */
export async function stopProcess(name: string, signal: NodeJS.Signals, patienceSeconds: number): Promise<boolean> {
  const leader = runningProcess(name);
  const tree = identified(leader ? withDescendants([leader.pid]) : []);
  let killed = false;
  if (leader) {
    signalGroup(leader.pid, signal);
    const deadline = Date.now() + patienceSeconds * 1000;
    while (runningProcess(name) && Date.now() < deadline) await sleep(50);
    killed = runningProcess(name) !== undefined;
    if (groupLives(leader.pid)) signalGroup(leader.pid, "SIGKILL");
  }
  // Children that left the group, as Postgres' and Airflow's do, or that outlived their parent, end all the same.
  const left = [...tree, ...identified(withDescendants(withVariable(mark, recordPath(name))))].filter(lives);
  for (const { pid } of left) killProcess(pid);
  while (left.some(lives)) await sleep(20);
  rmSync(recordPath(name), { force: true });
  return killed;
}
