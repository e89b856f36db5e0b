import { join } from "node:path";
import { TestBox } from "../../test/kit/testBox.ts";
import { engineAnswers, oldestCompose } from "../docker/engine.ts";
import { lint } from "./lint.ts";
import { runPytest } from "./pytestSuite.ts";
import { type Suite, sum } from "./suite.ts";
import { runVitest } from "./vitestSuite.ts";

/** What needs no engine: contracts, parsing, downloads, the DAGs' structure, the oracle. */
const unit: Suite = {
  name: "unit",
  needsEngines: false,
  run: async ({ python }) => sum([await runVitest("unit"), await runPytest(python, ["dags/tests", "test/oracle"])]),
};

/** The services, the Spark functions and the dbt project, each against real engines. */
const integration: Suite = {
  name: "integration",
  needsEngines: true,
  run: async ({ toolchain, python }) => {
    const box = new TestBox({ name: "engines", portOffset: 20_000, runtime: "embedded" });
    const client = await box.start("warehouse", "s3", "kafka", "spark-connect");
    const { WAREHOUSE_USER, WAREHOUSE_PASSWORD, WAREHOUSE_HOST, WAREHOUSE_PORT } = client;
    try {
      const env = {
        ...process.env,
        TEST_S3_ENDPOINT: client.S3_ENDPOINT,
        TEST_S3_ACCESS_KEY: client.S3_ACCESS_KEY,
        TEST_S3_SECRET_KEY: client.S3_SECRET_KEY,
        TEST_KAFKA_BROKERS: client.KAFKA_BROKERS,
        TEST_POSTGRES_URL: `postgresql://${WAREHOUSE_USER}:${WAREHOUSE_PASSWORD}@${WAREHOUSE_HOST}:${WAREHOUSE_PORT}/postgres`,
        SPARK_REMOTE: client.SPARK_REMOTE,
        SPARK_HOME: toolchain.sparkHome,
      };
      return sum([
        await runVitest("integration", env),
        await runPytest(python, ["spark/tests", "warehouse/tests"], env),
      ]);
    } finally {
      await box.remove();
    }
  },
};

/** The whole box as a user runs it. */
const endToEnd: Suite = {
  name: "e2e",
  needsEngines: true,
  run: ({ python }) => runVitest("e2e", { ...process.env, TEST_PYTHON: join(python, "bin", "python") }),
};

/** The whole box in containers. */
const containers: Suite = {
  name: "containers",
  needsEngines: true,
  needsDocker: true,
  run: async () => {
    if (await engineAnswers()) return runVitest("containers");
    const reason = `no Docker engine with Compose ${oldestCompose} or newer answers`;
    return { passed: 0, failed: 0, notRun: [`containers: ${reason}`] };
  },
};

export const suites: readonly Suite[] = [lint, unit, integration, endToEnd, containers];
