import { rootPath } from "../../scripts/boxHome.ts";
import { portNames, readEnvFile, type Variables } from "../../scripts/settings.ts";
import { type CommandResult, runToEnd, TestBox } from "../kit/testBox.ts";

/** A box in containers that is also handled as a user without ./box does: by `docker compose` alone. */
export class ComposeBox extends TestBox {
  readonly composeEnvironment: NodeJS.ProcessEnv;

  constructor(name: string, portOffset: number, environment: Variables = {}) {
    const project = `boxoffice-test-${name}`;
    const secrets = rootPath(".box", "test", name, "secrets.env");
    const own = { COMPOSE_PROJECT_NAME: project, BOX_SECRETS_FILE: secrets, ...environment };
    super({ name, portOffset, runtime: "docker", environment: own });
    const ports = readEnvFile(rootPath(".env"), {});
    const moved = portNames().map((port) => [port, String(Number(ports[port]) + portOffset)]);
    this.composeEnvironment = { ...process.env, ...own, ...Object.fromEntries(moved) };
  }

  /** The address of a service, by the setting of its port. */
  url(port: string): string {
    return `http://127.0.0.1:${this.composeEnvironment[port]}`;
  }

  /** Runs `docker compose` to its end, whatever that is; `environment` goes over the box's own. */
  compose(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    return runToEnd("docker", ["compose", ...args], { ...this.composeEnvironment, ...environment });
  }

  /** Runs `docker compose` and answers its standard output; throws with all it said when it fails. */
  async composed(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.compose(args);
    if (code === 0) return stdout;
    throw new Error(`docker compose ${args.join(" ")} ended with exit code ${code}:\n${stderr}${stdout}`);
  }

  /** The ids of the services' containers, of all services by default. */
  async containers(...services: string[]): Promise<string[]> {
    return linesOf(await this.composed("ps", "--all", "--quiet", ...services)).sort();
  }
}

/** Runs docker and answers its standard output; throws with all it said when it fails. */
export async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runToEnd("docker", args, process.env);
  if (code === 0) return stdout;
  throw new Error(`docker ${args.join(" ")} ended with exit code ${code}:\n${stderr}${stdout}`);
}

export const linesOf = (text: string) => text.split("\n").filter((line) => line.trim() !== "");

/** The box that the files here share; each leaves it as it found it, running and published, but those that vitest.config.ts has last. */
export const box = new ComposeBox("docker", 11_000, { BOX_TAG: "test" });
