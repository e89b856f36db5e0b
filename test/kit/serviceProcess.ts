import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Job, job } from "@boxoffice/contracts/job";
import { rootPath } from "../../scripts/boxHome.ts";

/** One of the box's own services as a process that a test may stop, kill and ask. */
export class ServiceProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #url: string;
  #output = "";

  private constructor(name: string, environment: Readonly<Record<string, string>>, port: number) {
    this.#name = name;
    this.#url = `http://127.0.0.1:${port}`;
    this.#child = spawn(process.execPath, ["--import", "tsx", rootPath("services", name, "src", "main.ts")], {
      env: { PATH: process.env.PATH ?? "", HTTP_PORT: String(port), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const listen = (chunk: Buffer) => {
      this.#output += chunk;
    };
    this.#child.stdout?.on("data", listen);
    this.#child.stderr?.on("data", listen);
  }

  /** Starts it with this environment alone, on a free port; it may not be ready yet. */
  static async launch(name: "ingest" | "loader", environment: Readonly<Record<string, string>>) {
    return new ServiceProcess(name, environment, await freePort());
  }

  /** Starts it and waits until it is ready. */
  static async start(name: "ingest" | "loader", environment: Readonly<Record<string, string>>) {
    const service = await ServiceProcess.launch(name, environment);
    await service.untilReady();
    return service;
  }

  /** What it has logged. */
  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits until it says that it has all it needs. */
  async untilReady(seconds = 60): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    let last: unknown;
    while (Date.now() < deadline && this.isRunning) {
      last = await this.call("/readyz").catch((error: unknown) => error);
      if (last && typeof last === "object" && "status" in last && last.status === 200) return;
      await sleep(100);
    }
    throw new Error(`${this.#name} is not ready: ${JSON.stringify(last)}\n${this.#output.slice(-3_000)}`);
  }

  /** Asks it, by POST where there is a body. */
  async call(path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const response = await fetch(
      `${this.#url}${path}`,
      body === undefined
        ? {}
        : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
    );
    return { status: response.status, body: await response.json() };
  }

  /** Asks for a job, or for how it is. */
  async job(path: string, body?: unknown): Promise<Job> {
    return job.parse((await this.call(path, body)).body);
  }

  /** Asks for a job and waits until it has ended. */
  async ended(path: "/loads" | "/seals" | "/versions", body: unknown): Promise<Job> {
    let asked = await this.job(path, body);
    while (asked.state === "running") {
      await sleep(50);
      asked = await this.job(`${path}/${asked.id}`);
    }
    return asked;
  }

  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Sends it a signal and answers how it ended. */
  async end(name: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.signal(name);
    return this.exit();
  }

  /** Waits until it ends by itself; null when a signal ended it. */
  async exit(): Promise<number | null> {
    if (this.isRunning) await once(this.#child, "close");
    return this.#child.exitCode;
  }
}

/** One that nothing listens on, under those of the boxes and under those that a system gives to clients meanwhile. */
async function freePort(): Promise<number> {
  const port = randomInt(5_000, 10_000);
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return freePort();
  } finally {
    server.close();
  }
}
