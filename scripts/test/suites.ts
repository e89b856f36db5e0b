import { join } from "node:path";
import { longForm } from "../../test/docker/chaosPlan.ts";
import { TestBox } from "../../test/kit/testBox.ts";
import { engineAnswers, oldestCompose } from "../docker/engine.ts";
import { setting, type Variables } from "../settings.ts";
import { lint } from "./lint.ts";
import { runPytest } from "./pytestSuite.ts";
import type { Show } from "./show.ts";
import { startStoresInContainers } from "./storesInContainers.ts";
import { type Count, type Suite, sum } from "./suite.ts";
import { runVitest } from "./vitestSuite.ts";

/** What needs no engine: contracts, parsing, downloads, the DAGs' structure, the oracle. */
const unit: Suite = {
  name: "unit",
  needsEngines: false,
  run: async ({ python, show }) =>
    sum([await runVitest(show, "unit"), await runPytest(show, python, ["dags/tests", "test/oracle"])]),
};

/**
 * The services, the Spark functions and the dbt project, each against real engines. The services' stores are containers
 * where an engine answers, so that both runtimes' engines are tested: those from packages by the other suites.
 */
const integration: Suite = {
  name: "integration",
  needsEngines: true,
  run: async ({ toolchain, python, mayUseDocker, show }) => {
    const box = new TestBox({ name: "engines", portOffset: 10_000, runtime: "embedded" });
    const inContainers = mayUseDocker && (await engineAnswers());
    const embedded = await box.start("spark-connect", ...(inContainers ? [] : ["warehouse", "s3", "kafka"]));
    try {
      const stores = inContainers ? await startStoresInContainers() : { client: embedded, stop: async () => {} };
      try {
        const env = { ...process.env, ...storesFor(stores.client) };
        const spark = { SPARK_REMOTE: embedded.SPARK_REMOTE, SPARK_HOME: toolchain.sparkHome };
        return sum([
          await runVitest(show, "integration", env),
          await runPytest(show, python, ["spark/tests", "warehouse/tests"], { ...env, ...spark }),
        ]);
      } finally {
        await stores.stop();
      }
    } finally {
      await box.remove();
    }
  },
};

/** Where the tests find the engines. */
function storesFor(client: Variables): Variables {
  const user = `${setting(client, "WAREHOUSE_USER")}:${setting(client, "WAREHOUSE_PASSWORD")}`;
  const host = `${setting(client, "WAREHOUSE_HOST")}:${setting(client, "WAREHOUSE_PORT")}`;
  return {
    TEST_S3_ENDPOINT: setting(client, "S3_ENDPOINT"),
    TEST_S3_ACCESS_KEY: setting(client, "S3_ACCESS_KEY"),
    TEST_S3_SECRET_KEY: setting(client, "S3_SECRET_KEY"),
    TEST_KAFKA_BROKERS: setting(client, "KAFKA_BROKERS"),
    TEST_POSTGRES_URL: `postgresql://${user}@${host}/postgres`,
  };
}

/** The services as processes that are stopped and killed, and stores that lose their data or have no room. */
const faults: Suite = {
  name: "faults",
  needsEngines: true,
  run: ({ show }) => runVitest(show, "faults"),
};

/** The whole box as a user runs it. */
const endToEnd: Suite = {
  name: "e2e",
  needsEngines: true,
  mayRunBeside: true,
  run: ({ python, show }) => runVitest(show, "e2e", { ...process.env, TEST_PYTHON: join(python, "bin", "python") }),
};

/** The whole box in containers, also scaled, killed and driven. */
const containers: Suite = {
  name: "containers",
  needsEngines: true,
  needsDocker: true,
  run: ({ show }) => runInContainers(show, "containers"),
};

/**
 * Services killed at random for a quarter of an hour, at last while live ratings are posted; the suite of the containers
 * does it for a minute, without these: they take two runs more.
 */
const chaos: Suite = {
  name: "chaos",
  needsEngines: true,
  needsDocker: true,
  isOnRequest: true,
  run: ({ python, show }) => {
    const { seconds, actions } = longForm;
    const settings = { CHAOS_SECONDS: String(seconds), CHAOS_ACTIONS: String(actions) };
    return runInContainers(show, "chaos", { ...settings, ...process.env, TEST_PYTHON: join(python, "bin", "python") });
  },
};

/** Runs a project of tests where an engine answers. */
async function runInContainers(show: Show, project: string, env?: Variables): Promise<Count> {
  if (await engineAnswers()) return runVitest(show, project, env);
  const reason = `no Docker engine with Compose ${oldestCompose} or newer answers`;
  return { passed: 0, failed: 0, failures: [], notRun: [`${project}: ${reason}`] };
}

export const suites: readonly Suite[] = [lint, unit, integration, faults, endToEnd, containers, chaos];
