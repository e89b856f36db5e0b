import { existsSync, rmSync } from "node:fs";
import { BoxError, exitCode } from "../boxError.ts";
import { rootPath } from "../boxHome.ts";
import { run } from "../install/run.ts";
import type { Runtime } from "../runtime.ts";
import { generateSecrets } from "../secrets.ts";
import { portNames } from "../settings.ts";
import { recordStart } from "../startedBox.ts";
import { line, step } from "../terminal.ts";
import { bringUp } from "./bringUp.ts";
import {
  compose,
  containers,
  ownsSecrets,
  projectName,
  secretsPath,
  serviceNames,
  showCompose,
  volumes,
} from "./compose.ts";
import { containerStatus } from "./containerStatus.ts";
import { copyEdition } from "./copyEdition.ts";
import { withEngine } from "./engine.ts";
import { examineDocker, examineEngine, refuseProblems } from "./examine.ts";
import { buildImages } from "./images.ts";

/** Services that wait for the first run. */
const afterFirstRun = new Set(["hello", "answers"]);

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
  stop: () => withEngine(() => step("Stopping the containers", async () => void (await down()))),
  hasState: () =>
    withEngine(
      async () =>
        (ownsSecrets() && existsSync(secretsPath())) || (await volumes()).length > 0 || (await containers()).length > 0,
    ),
  removeState: async () => {
    await withEngine(() => down("--volumes"));
    await refuseLeftVolumes();
    if (ownsSecrets()) rmSync(secretsPath(), { force: true });
    else if (existsSync(secretsPath())) line(`${secretsPath()} stays, as BOX_SECRETS_FILE names it`);
  },
  status: () => withEngine(containerStatus),
  printLogs: async (service, lines) => {
    const names = await withEngine(serviceNames);
    if (service !== undefined && !names.includes(service)) {
      throw new BoxError(`there is no service '${service}'; there are: ${names.sort().join(", ")}`, exitCode.usage);
    }
    // What Compose says of an engine that is away would go straight to the user.
    await withEngine(containers);
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
  editionPath: copyEdition,
};

/** Docker Compose passes over volumes that are in use. The secrets stay with them, which they were made with. */
async function refuseLeftVolumes(): Promise<void> {
  const left = await volumes();
  if (left.length === 0) return;
  throw new BoxError(
    `volumes of the box are left: ${left.join(", ")}\nA container that is none of the box's may use them, as docker ps --all --filter volume=${left[0]} tells; remove it, then ./box reset again, or docker volume rm ${left.join(" ")}`,
  );
}

const units: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

function bytesOf(text: string): number {
  const match = /^([\d.]+)\s*([KMG]?i?B)$/.exec(text);
  return match ? Number(match[1]) * (units[match[2] ?? "B"] ?? 1) : 0;
}
