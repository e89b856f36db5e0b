import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { rootPath } from "../../scripts/boxHome.ts";
import { processStart } from "../../scripts/embedded/processIdentity.ts";
import type { Variables } from "../../scripts/settings.ts";
import type { RuntimeName } from "../../scripts/startedBox.ts";
import { unmountBelow } from "./ownDisk.ts";

const status = z.object({ services: z.array(z.object({ service: z.string(), pid: z.number().nullable() })) });

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface TestBoxOptions {
  /** Names its folder below `.box/test`, and with it its containers. */
  name: string;
  /**
   * Added to every port, so that it stands beside others. Below 13,000 all ports are under those that Linux gives to
   * clients, any of which may hold one for a moment.
   */
  portOffset: number;
  /** Where it runs; by default in Docker where an engine answers, else embedded. */
  runtime?: RuntimeName | undefined;
  /** Settings over those of the shell. */
  environment?: Variables;
}

/** A box of the tests' own, beside any that the user has. */
export class TestBox {
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;

  constructor({ name, portOffset, runtime, environment = {} }: TestBoxOptions) {
    this.home = rootPath(".box", "test", name);
    this.environment = {
      ...process.env,
      ...(runtime === undefined ? {} : { BOX_RUNTIME: runtime }),
      ...environment,
      BOX_HOME: this.home,
      BOX_PORT_OFFSET: String(portOffset),
    };
  }

  /** Runs ./box with these arguments to its end, whatever that is. */
  attempt(...args: string[]): Promise<CommandResult> {
    return this.attemptWith({}, ...args);
  }

  /** The same with other settings over the box's own; undefined takes one away. */
  attemptWith(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<CommandResult> {
    return runToEnd(rootPath("box"), args, { ...this.environment, ...environment });
  }

  /** Runs ./box and answers its standard output; throws with all it said when it fails. */
  async command(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(...args);
    if (code === 0) return stdout;
    throw new Error(`./box ${args.join(" ")} ended with exit code ${code}:\n${stderr}${stdout}`);
  }

  /** Addresses and secrets for a client of this box. */
  async client(): Promise<Variables> {
    return z.record(z.string(), z.string()).parse(JSON.parse(await this.command("env", "--json")));
  }

  /** The processes of the services that run; none in containers. */
  async pids(): Promise<Map<string, number>> {
    const { services } = status.parse(JSON.parse(await this.command("status", "--json")));
    return new Map(services.flatMap(({ service, pid }) => (pid === null ? [] : [[service, pid] as const])));
  }

  /** Kills the processes of services, where they run, and waits until nothing of them is left. */
  async kill(...names: string[]): Promise<void> {
    const pids = await this.pids();
    const killed = names.flatMap((name) => pids.get(name) ?? []);
    for (const pid of killed) process.kill(pid, "SIGKILL");
    while (killed.some((pid) => processStart(pid) !== undefined)) await sleep(20);
  }

  /** Starts services from nothing; answers what a client needs to use them. */
  async start(...services: string[]): Promise<Variables> {
    await this.remove();
    await this.command("up", ...(services.length > 0 ? ["--services", ...services] : []));
    return this.client();
  }

  /** Stops the box and removes all it has: services, data and its folder. One that is not there is no error. */
  async remove(): Promise<void> {
    await this.command("down");
    // Of tests that were killed.
    unmountBelow(this.home);
    await this.command("reset", "--yes");
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Runs a program to its end, whatever that is. */
export function runToEnd(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<CommandResult> {
  const child = spawn(command, args, { cwd: rootPath(), env, stdio: ["ignore", "pipe", "pipe"] });
  const result: CommandResult = { code: 1, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    result.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    result.stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...result, code: code ?? 1 }));
  });
}
