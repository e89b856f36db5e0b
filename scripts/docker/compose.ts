import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { delimiter, join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { BoxError, exitCode } from "../boxError.ts";
import { boxHome, root, rootPath } from "../boxHome.ts";
import { type RunOptions, run } from "../install/run.ts";
import { portNames, readSettings, type Variables } from "../settings.ts";

const isDefaultHome = () => boxHome === join(root, ".box");

/** The project's name: that of .env or the shell, and one of its own for a box with another BOX_HOME. */
export function projectName(): string {
  const name = readSettings().COMPOSE_PROJECT_NAME ?? "boxoffice";
  if (isDefaultHome() || process.env.COMPOSE_PROJECT_NAME) return name;
  return `${name}-${createHash("sha256").update(boxHome).digest("hex").slice(0, 8)}`;
}

const defaultSecretsPath = () => (isDefaultHome() ? rootPath(".env.secrets") : join(boxHome, "secrets.env"));

/** Where the secrets of this box are, once they are made. */
export const secretsPath = () => resolve(root, process.env.BOX_SECRETS_FILE || defaultSecretsPath());

/** Whether that file is the box's to remove; one that BOX_SECRETS_FILE names elsewhere is the user's. */
export function ownsSecrets(): boolean {
  const path = secretsPath();
  const [first] = relative(boxHome, path).split(sep);
  return path === defaultSecretsPath() || (first !== ".." && first !== "");
}

/** Which files docker compose reads where that is not as it does by itself: the user's override stays among them. */
function composeFiles({ COMPOSE_FILE, SPARK_LAN_ADDRESS }: Variables): Variables {
  if (COMPOSE_FILE || !SPARK_LAN_ADDRESS) return {};
  const override = "docker-compose.override.yml";
  const files = ["docker-compose.yml", "docker-compose.lan.yml", ...(existsSync(rootPath(override)) ? [override] : [])];
  return { COMPOSE_FILE: files.map((file) => rootPath(file)).join(delimiter) };
}

/** What docker compose reads docker-compose.yml with: the shell's variables, and the ports moved by BOX_PORT_OFFSET. */
export function composeEnvironment(): NodeJS.ProcessEnv {
  const settings = readSettings();
  const ports = Object.fromEntries(portNames().map((name) => [name, settings[name]]));
  return {
    ...process.env,
    ...ports,
    ...composeFiles(settings),
    COMPOSE_PROJECT_NAME: projectName(),
    BOX_SECRETS_FILE: secretsPath(),
    COMPOSE_BAKE: "false",
  };
}

const composeArguments = (args: readonly string[]) => ["compose", "--project-directory", root, ...args];

/** Runs docker compose and answers its standard output. */
export function compose(
  args: readonly string[],
  variables: Variables = {},
  options: Pick<RunOptions, "signal"> = {},
): Promise<string> {
  return run("docker", composeArguments(args), { ...options, env: { ...composeEnvironment(), ...variables } });
}

/** Runs docker compose with its output going where this command's goes. */
export async function showCompose(args: readonly string[]): Promise<void> {
  const child = spawn("docker", composeArguments(args), {
    env: composeEnvironment(),
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new BoxError(`docker compose ${args[0]} ended with exit code ${code}`, exitCode.failed);
}

const publisher = z.object({ PublishedPort: z.number(), URL: z.string() });
const container = z.object({
  Name: z.string(),
  Service: z.string(),
  State: z.string(),
  Health: z.string(),
  ExitCode: z.number(),
  Publishers: z.array(publisher).nullish(),
});
export type Container = z.infer<typeof container>;

/** The names of the chosen profiles' services. */
export async function serviceNames(): Promise<string[]> {
  return (await compose(["config", "--services"])).split("\n").filter((name) => name !== "");
}

/** The containers of this box, running or not. */
export async function containers(options: Pick<RunOptions, "signal"> = {}): Promise<Container[]> {
  const text = await compose(["ps", "--all", "--format", "json"], {}, options);
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => container.parse(JSON.parse(line)));
}

/** What the engine says of containers, by their names and a template of its own. One that vanishes meanwhile is left out. */
export async function inspectContainers(names: readonly string[], template: string): Promise<Map<string, string>> {
  if (names.length === 0) return new Map();
  const format = `{{.Name}}\t${template}`;
  const text = await run("docker", ["container", "inspect", "--format", format, ...names]).catch(() => "");
  const rows = text.split("\n").map((row) => row.split("\t"));
  return new Map(rows.flatMap(([name, value]) => (name && value ? [[name.replace(/^\//, ""), value]] : [])));
}

/** Names of the volumes that this box has. */
export async function volumes(): Promise<string[]> {
  const filter = `label=com.docker.compose.project=${projectName()}`;
  const text = await run("docker", ["volume", "ls", "--quiet", "--filter", filter]);
  return text.split("\n").filter((name) => name !== "");
}
