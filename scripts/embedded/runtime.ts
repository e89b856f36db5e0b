import { existsSync, rmSync } from "node:fs";
import { boxHome, homePath, rootPath } from "../boxHome.ts";
import { installToolchain } from "../install/toolchain.ts";
import { interruption } from "../interrupt.ts";
import type { Runtime } from "../runtime.ts";
import { generateSecrets } from "../secrets.ts";
import { examine } from "./examine.ts";
import { printLogs } from "./printLogs.ts";
import { recordedProcesses, runningProcess } from "./processes.ts";
import { memoryOf, withDescendants } from "./processTree.ts";
import { startServices } from "./start.ts";
import { processStatus } from "./status.ts";
import { stopServices } from "./stop.ts";

/** What a box keeps; anything else in its folder is not the box's to remove. */
const state = [
  ...["airflow", "kafka", "lake", "logs", "minio", "postgres", "postgres.part", "run", "spark", "work"],
  ...["kafka.properties", "s3proxy.properties", "s3proxy-logback.xml"],
];
/** A folder without it is no box's. */
const secrets = () => homePath("secrets.env");

/** The services as processes of this machine, on engines from packages. */
export const embeddedRuntime: Runtime = {
  name: "embedded",
  place: boxHome,
  secretsFile: () => (existsSync(secrets()) ? secrets() : rootPath("config", "dev-secrets.env")),
  prepare: async () => generateSecrets(secrets()),
  start: async (box, services) => {
    const toolchain = await installToolchain();
    await startServices({
      settings: box.settings,
      services: box.services,
      toolchain,
      signal: interruption,
      ...(services ? { only: services } : {}),
    });
  },
  complete: async () => {},
  stop: async () => {
    await stopServices();
  },
  hasState: async () => existsSync(secrets()),
  removeState: async () => {
    for (const name of state) rmSync(homePath(name), { recursive: true, force: true });
    rmSync(secrets(), { force: true });
  },
  status: processStatus,
  printLogs: async (service, lines) => printLogs(service, lines),
  memory: async () =>
    new Map(
      recordedProcesses().flatMap((service) => {
        const pid = runningProcess(service)?.pid;
        if (pid === undefined) return [];
        return [[service, withDescendants([pid]).reduce((sum, member) => sum + memoryOf(member), 0)] as const];
      }),
    ),
  examine,
  editionPath: async (directory) => directory,
};
