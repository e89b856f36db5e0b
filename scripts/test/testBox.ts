import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { z } from "zod";
import { rootPath } from "../boxHome.ts";
import type { Variables } from "../settings.ts";

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A box of the tests' own, beside any that the user has. */
export class TestBox {
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;

  constructor(name: string, portOffset: number, environment: Variables = {}) {
    this.home = rootPath(".box", "test", name);
    this.environment = {
      ...process.env,
      ...environment,
      BOX_RUNTIME: "embedded",
      BOX_HOME: this.home,
      BOX_PORT_OFFSET: String(portOffset),
    };
  }

  /** Runs ./box with these arguments to its end, whatever that is. */
  attempt(...args: string[]): Promise<CommandResult> {
    return this.attemptWith(this.environment, ...args);
  }

  /** The same in another environment. */
  attemptWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<CommandResult> {
    const child = spawn(rootPath("box"), args, { env, stdio: ["ignore", "pipe", "pipe"] });
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

  /** Starts services from nothing; answers what a client needs to use them. */
  async start(...services: string[]): Promise<Variables> {
    await this.remove();
    await this.command("up", "--services", ...services);
    return this.client();
  }

  async remove(): Promise<void> {
    await this.command("down");
    rmSync(this.home, { recursive: true, force: true });
  }
}
