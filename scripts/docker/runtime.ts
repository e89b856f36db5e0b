import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { BoxError, exitCode } from "../boxError.ts";
import { rootPath } from "../boxHome.ts";
import { run } from "../install/run.ts";
import { interruption } from "../interrupt.ts";
import type { Runtime } from "../runtime.ts";
import { generateSecrets } from "../secrets.ts";
import { portNames } from "../settings.ts";
import { recordStart } from "../startedBox.ts";
import { green, line, step, transient } from "../terminal.ts";
import {
  type Container,
  compose,
  composeEnvironment,
  containers,
  ownsSecrets,
  projectName,
  secretsPath,
  showCompose,
  volumes,
} from "./compose.ts";
import { examineDocker, examineEngine, refuseProblems } from "./examine.ts";
import { buildImages } from "./images.ts";

/** Services that do one thing and end. */
const oneShots = new Set(["airflow-migrate", "hello", "preflight"]);
/** Services that wait for the first run. */
const afterFirstRun = new Set(["hello", "answers"]);

const isReady = ({ State, Health, Service, ExitCode }: Container) =>
  oneShots.has(Service) ? State === "exited" && ExitCode === 0 : State === "running" && Health === "healthy";

const serviceNames = async () => (await compose(["config", "--services"])).split("\n").filter((name) => name !== "");

/** Ends the containers of every profile: the box may have been started with others than those chosen now. */
const down = (...options: string[]) => compose(["--profile", "*", "down", "--remove-orphans", ...options]);

/** The services as containers, by docker compose. */
export const dockerRuntime: Runtime = {
  name: "docker",
  get place() {
    return `the volumes of the project ${projectName()}`;
  },
  secretsFile: () => (existsSync(secretsPath()) ? secretsPath() : rootPath("config", "dev-secrets.env")),
  prepare: async () => {
    refuseProblems(await examineEngine());
    // Volumes without a file of secrets were made with the development values, and go on with them.
    if ((await volumes()).length === 0) generateSecrets(secretsPath());
  },
  start: async (box, services) => {
    refuseProblems(await examineDocker(box));
    await buildImages();
    recordStart("docker", box.settings, portNames());
    await bringUp(services ?? (await serviceNames()).filter((name) => !afterFirstRun.has(name)));
  },
  complete: async () => {
    await bringUp([]);
  },
  stop: () => step("Stopping the containers", async () => void (await down())),
  hasState: async () =>
    (ownsSecrets() && existsSync(secretsPath())) || (await volumes()).length > 0 || (await containers()).length > 0,
  removeState: async () => {
    await down("--volumes");
    await refuseLeftVolumes();
    if (ownsSecrets()) rmSync(secretsPath(), { force: true });
    else if (existsSync(secretsPath())) line(`${secretsPath()} stays, as BOX_SECRETS_FILE names it`);
  },
  status: async () => {
    const found = new Map((await containers()).map((container) => [container.Service, container]));
    const names = (await serviceNames()).filter((name) => !oneShots.has(name));
    return names.sort().map((service) => {
      const container = found.get(service);
      const isRunning = container?.State === "running";
      return {
        service,
        state: container && isReady(container) ? "ready" : isRunning ? "starting" : "down",
        pid: null,
        since: isRunning ? container.CreatedAt : null,
        ports: [...new Set((container?.Publishers ?? []).map(({ PublishedPort }) => PublishedPort))].filter(
          (port) => port > 0,
        ),
      };
    });
  },
  printLogs: async (service, lines) => {
    const names = await serviceNames();
    if (service !== undefined && !names.includes(service)) {
      throw new BoxError(`there is no service '${service}'; there are: ${names.sort().join(", ")}`, exitCode.usage);
    }
    await showCompose(["logs", "--no-color", "--tail", String(lines), ...(service ? [service] : [])]);
  },
  memory: async () => {
    const running = (await containers()).filter(({ State }) => State === "running");
    if (running.length === 0) return new Map();
    const ids = running.map(({ Name }) => Name);
    const text = await run("docker", ["stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}", ...ids]);
    const used = new Map(text.split("\n").map((row) => row.split("\t") as [string, string | undefined]));
    const sums = new Map<string, number>();
    for (const { Name, Service } of running) {
      sums.set(Service, (sums.get(Service) ?? 0) + bytesOf(used.get(Name)?.split("/")[0]?.trim() ?? ""));
    }
    return sums;
  },
  examine: examineDocker,
  editionPath: async (directory) => {
    if (!existsSync(directory)) throw new BoxError(`there is no directory ${directory}`, exitCode.usage);
    const name = createHash("sha256").update(directory).digest("hex").slice(0, 12);
    const target = `/var/lib/boxoffice/editions/${name}/${directory.replace(/\/+$/, "").split("/").at(-1)}`;
    const receive = `rm -rf "${target}" && mkdir -p "${target}" && tar -xf - -C "${target}"`;
    await step("Copying the edition to ingest", () =>
      run(
        "sh",
        [
          "-c",
          'tar -chf - -C "$1" . | docker compose --project-directory "$2" exec -T ingest sh -c "$3"',
          ...["sh", directory, rootPath(), receive],
        ],
        {
          env: composeEnvironment(),
        },
      ),
    );
    return target;
  },
};

/** Docker Compose passes over volumes that are in use. The secrets stay with them, which they were made with. */
async function refuseLeftVolumes(): Promise<void> {
  const left = await volumes();
  if (left.length === 0) return;
  throw new BoxError(
    `volumes of the box are left: ${left.join(", ")}\nA container that is none of the box's may use them, as docker ps --all --filter volume=${left[0]} tells; remove it, then ./box reset again, or docker volume rm ${left.join(" ")}`,
  );
}

/** Starts services, all when none is named, and waits until they are ready; names each when it is. */
async function bringUp(services: readonly string[]): Promise<void> {
  const known = new Set((await containers()).filter(isReady).map(({ Service }) => Service));
  let isDone = false;
  const ended = compose(["up", "--detach", "--wait", "--remove-orphans", ...services]).finally(() => {
    isDone = true;
  });
  ended.catch(() => {});
  while (!isDone) {
    await showProgress(known);
    await Promise.race([sleep(1_000), ended.catch(() => {})]);
  }
  await ended.catch(async (error) => {
    throw await startFailure(error);
  });
  await showProgress(known);
}

/** Names each service once, when it is ready. */
async function showProgress(known: Set<string>): Promise<void> {
  const all = await containers().catch(() => []);
  for (const container of all) {
    if (!isReady(container) || known.has(container.Service)) continue;
    known.add(container.Service);
    line(`  ${green("ok")} ${container.Service}`);
  }
  const waiting = all.filter(({ Service }) => !known.has(Service)).map(({ Service }) => Service);
  if (waiting.length > 0) transient(`  … waiting for ${[...new Set(waiting)].join(", ")}`);
}

/** Why the containers did not come up, with the log of the one that failed. */
async function startFailure(cause: unknown): Promise<BoxError> {
  interruption.throwIfAborted();
  const all = await containers().catch(() => []);
  const failed = all.find(
    ({ Service, State, Health, ExitCode }) =>
      Health === "unhealthy" ||
      State === "restarting" ||
      (State === "exited" && (ExitCode !== 0 || !oneShots.has(Service))),
  );
  if (!failed) return explained(cause);
  const killed = failed.ExitCode === 137 ? `\n${wantOfMemory(failed.Service)}` : "";
  const tail = await compose(["logs", "--no-color", "--tail", "15", failed.Service]).catch(() => "");
  return new BoxError(
    `${failed.Service} did not start (${failed.State}, exit code ${failed.ExitCode}).${killed}\n${tail}`,
  );
}

function wantOfMemory(service: string): string {
  const variable = `${service.toUpperCase().replaceAll("-", "_")}_MEMORY`;
  return `Exit code 137: it was killed, most likely for want of memory. Give it more, e.g. ${variable}=1g ./box up, or Docker as a whole.`;
}

/** What docker compose said, with the remedy where there is a known one. */
function explained(cause: unknown): BoxError {
  const error = cause instanceof BoxError ? cause : new BoxError(String(cause));
  if (
    !/pull access denied|manifest unknown|not found|failed to resolve|no such image|lookup .* no such host|Client\.Timeout/i.test(
      error.message,
    )
  )
    return error;
  const remedy =
    "An image cannot be had. Is its name in .env right, and the registry reachable? Without internet: ./box images load FILE";
  return new BoxError(`${error.message}\n${remedy}`, exitCode.environment, error);
}

const units: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

function bytesOf(text: string): number {
  const match = /^([\d.]+)\s*([KMG]?i?B)$/.exec(text);
  return match ? Number(match[1]) * (units[match[2] ?? "B"] ?? 1) : 0;
}
