import { BoxError, exitCode } from "../boxError.ts";
import { onPath } from "../install/onPath.ts";
import { run } from "../install/run.ts";
import { interruption } from "../interrupt.ts";

/** Oldest Compose that reads docker-compose.yml: `required` of env files and dependencies. */
export const oldestCompose = "2.24.0";

/** What an engine says of itself. */
export interface Engine {
  version: string;
  /** `linux/amd64` */
  platform: string;
  memory: number;
  processors: number;
  rootFolder: string;
  composeVersion: string | undefined;
}

/** The engine that the docker command talks to, or undefined where there is none. */
export async function readEngine(): Promise<Engine | undefined> {
  if (!onPath("docker")) return undefined;
  const format = "{{.ServerVersion}}\t{{.OSType}}/{{.Architecture}}\t{{.MemTotal}}\t{{.NCPU}}\t{{.DockerRootDir}}";
  const text = await run("docker", ["info", "--format", format]).catch(() => "");
  const [version, platform, memory, processors, rootFolder] = text.trim().split("\t");
  if (!version || !platform || !rootFolder) return undefined;
  const compose = await run("docker", ["compose", "version", "--short"]).catch(() => "");
  return {
    version,
    platform,
    memory: Number(memory),
    processors: Number(processors),
    rootFolder,
    composeVersion: compose.trim().replace(/^v/, "") || undefined,
  };
}

/** Whether Docker can run the box. */
export async function engineAnswers(): Promise<boolean> {
  const engine = await readEngine();
  return engine?.composeVersion !== undefined && isAtLeast(engine.composeVersion, oldestCompose);
}

/** Does what needs the engine; where it fails because none answers, the error says that alone. */
export async function withEngine<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    interruption.throwIfAborted();
    if (await readEngine()) throw error;
    throw new BoxError(
      "this box is in containers, and no Docker engine answers.\nStart Docker, then try again; `docker info` says why it does not answer.",
      exitCode.environment,
      error,
    );
  }
}

/** Whether a version like 2.40.3 is that old or newer. */
export function isAtLeast(version: string, oldest: string): boolean {
  const parts = (text: string) => text.split(/[.+-]/).slice(0, 3).map(Number);
  const [own, needed] = [parts(version), parts(oldest)];
  for (let at = 0; at < 3; at += 1) {
    const difference = (own[at] ?? 0) - (needed[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
