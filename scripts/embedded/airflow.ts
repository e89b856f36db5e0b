import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { airflowHealth, executionApiAnswers } from "@boxoffice/platform/airflowHealth";
import { interruption } from "../interrupt.ts";
import { setting } from "../settings.ts";
import type { ClientContext, Recipe, RecipeContext } from "./recipe.ts";

function airflow(context: RecipeContext, args: string[]) {
  const bin = join(context.toolchain.pipeline, "bin");
  return {
    command: join(bin, "airflow"),
    args,
    env: { ...context.service.environment, PATH: `${bin}:${process.env.PATH ?? ""}` },
  };
}

/** Names the environment whose Airflow made the metadata tables last. */
const migratedBy = (context: ClientContext) =>
  join(setting(context.service.environment, "AIRFLOW_HOME"), "migrated-by");

/** Makes and upgrades the metadata tables, and writes the login of the one user. */
export const airflowMigrate: Recipe = {
  ports: [],
  oneShot: true,
  isDone: (context) => {
    const file = migratedBy(context);
    return existsSync(file) && readFileSync(file, "utf8") === context.toolchain.pipeline;
  },
  whenReady: async (context) => writeFileSync(migratedBy(context), context.toolchain.pipeline),
  prepare: async ({ service }) => {
    const environment = service.environment;
    mkdirSync(setting(environment, "AIRFLOW_HOME"), { recursive: true });
    const passwords = JSON.stringify({ admin: setting(environment, "AIRFLOW_PASSWORD") });
    const file = setting(environment, "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE");
    writeFileSync(file, passwords, { mode: 0o600 });
  },
  command: (context) => airflow(context, ["db", "migrate"]),
  isReady: async () => true,
};

const airflowUrl = ({ service }: ClientContext) => setting(service.environment, "AIRFLOW_URL");

export const airflowApiServer: Recipe = {
  ports: ["AIRFLOW_PORT"],
  command: (context) => airflow(context, ["api-server"]),
  isReady: (context) => executionApiAnswers(airflowUrl(context), interruption),
};

export const airflowScheduler: Recipe = {
  ports: [],
  command: (context) => airflow(context, ["scheduler", "--skip-serve-logs"]),
  isReady: async (context) => (await airflowHealth(airflowUrl(context), interruption))?.scheduler === "healthy",
};

export const airflowDagProcessor: Recipe = {
  ports: [],
  command: (context) => airflow(context, ["dag-processor"]),
  isReady: async (context) => (await airflowHealth(airflowUrl(context), interruption))?.dagProcessor === "healthy",
};
