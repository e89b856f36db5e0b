import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { rootPath } from "../boxHome.ts";
import { show } from "./show.ts";
import type { Count, Suite, SuiteContext } from "./suite.ts";
import { TestBox } from "./testBox.ts";
import { runVitest } from "./vitestSuite.ts";

async function check(command: string, args: string[]): Promise<Count> {
  const code = await show(command, args);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

const sum = (counts: Count[]): Count => ({
  passed: counts.reduce((total, { passed }) => total + passed, 0),
  failed: counts.reduce((total, { failed }) => total + failed, 0),
});

/** Types, lint and format of every language. */
const lint: Suite = {
  name: "lint",
  run: async ({ python }) =>
    sum([
      await check(rootPath("node_modules", ".bin", "tsc"), ["--noEmit"]),
      await check(rootPath("node_modules", ".bin", "biome"), ["check", "."]),
      await check(join(python, "bin", "ruff"), ["check", "."]),
      await check(join(python, "bin", "ruff"), ["format", "--check", "."]),
    ]),
};

/** The services and the Python parts, each against real engines. */
const services: Suite = {
  name: "services",
  run: async (context) => {
    const box = new TestBox("engines", 20_000);
    const client = await box.start("warehouse", "s3", "kafka", "spark-connect");
    try {
      const env = {
        ...process.env,
        TEST_S3_ENDPOINT: client.S3_ENDPOINT,
        TEST_S3_ACCESS_KEY: client.S3_ACCESS_KEY,
        TEST_S3_SECRET_KEY: client.S3_SECRET_KEY,
        TEST_KAFKA_BROKERS: client.KAFKA_BROKERS,
        TEST_POSTGRES_URL: `postgresql://${client.WAREHOUSE_USER}:${client.WAREHOUSE_PASSWORD}@${client.WAREHOUSE_HOST}:${client.WAREHOUSE_PORT}/postgres`,
        SPARK_REMOTE: client.SPARK_REMOTE,
        SPARK_HOME: context.toolchain.sparkHome,
      };
      return sum([await runVitest("services", env), await runPytest(context, env)]);
    } finally {
      await box.remove();
    }
  },
};

async function runPytest({ python }: SuiteContext, env: NodeJS.ProcessEnv): Promise<Count> {
  mkdirSync(rootPath(".box", "test"), { recursive: true });
  const file = rootPath(".box", "test", "pytest.xml");
  const code = await show(join(python, "bin", "python"), ["-m", "pytest", "-q", `--junitxml=${file}`], {
    ...env,
    PATH: `${join(python, "bin")}:${process.env.PATH ?? ""}`,
    PYTHONPATH: `${rootPath()}:${rootPath("dags")}`,
  });
  const attributes = /<testsuite [^>]*>/.exec(readFileSync(file, "utf8"))?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0);
  const failed = count("errors") + count("failures");
  return { passed: count("tests") - failed - count("skipped"), failed: code !== 0 && failed === 0 ? 1 : failed };
}

/** The whole box as a user runs it. */
const endToEnd: Suite = {
  name: "e2e",
  run: ({ python }) => runVitest("e2e", { ...process.env, TEST_PYTHON: join(python, "bin", "python") }),
};

export const suites: readonly Suite[] = [lint, services, endToEnd];
