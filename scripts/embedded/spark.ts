import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { homePath, rootPath } from "../boxHome.ts";
import type { ServiceDescription } from "../composeFile.ts";
import { setting } from "../settings.ts";
import { portAnswers } from "./portHolder.ts";
import type { Command } from "./processes.ts";
import type { ClientContext, Recipe, RecipeContext } from "./recipe.ts";

/** Java modules that Spark reaches into, as its own launcher opens them. */
const openModules = [
  ...["java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util"],
  ...["java.util.concurrent", "java.util.concurrent.atomic", "sun.nio.ch", "sun.nio.cs", "sun.security.action"],
  ...["sun.util.calendar", "jdk.internal.ref"],
].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);

const javaOptions = (service: ServiceDescription) => setting(service.environment, "SPARK_JAVA_OPTIONS").split(" ");
const executorJavaOptions = (service: ServiceDescription) =>
  setting(service.environment, "SPARK_EXECUTOR_JAVA_OPTIONS");

function sparkCommand({ service, toolchain }: RecipeContext, memory: string, main: string[]): Command {
  mkdirSync(homePath("spark"), { recursive: true });
  // SPARK_REMOTE is for clients; the servers refuse to start with it.
  const { SPARK_REMOTE: _, ...environment } = service.environment;
  const jars = [rootPath("spark", "conf"), join(toolchain.sparkHome, "jars", "*"), join(toolchain.s3aJars, "*")];
  return {
    command: toolchain.java,
    args: [
      ...[`-Xmx${memory}`, ...javaOptions(service), "-XX:+IgnoreUnrecognizedVMOptions", ...openModules],
      ...["-Djdk.reflect.useDirectMethodHandle=false", "-Dio.netty.tryReflectionSetAccessible=true"],
      ...["-cp", jars.join(":"), ...main],
    ],
    env: {
      ...environment,
      AWS_ENDPOINT_URL: setting(service.environment, "S3_ENDPOINT"),
      AWS_REGION: setting(service.environment, "S3_REGION"),
      AWS_ACCESS_KEY_ID: setting(service.environment, "S3_ACCESS_KEY"),
      AWS_SECRET_ACCESS_KEY: setting(service.environment, "S3_SECRET_KEY"),
      JAVA_HOME: toolchain.javaHome,
      SPARK_HOME: toolchain.sparkHome,
      SPARK_SCALA_VERSION: "2.13",
      SPARK_CONF_DIR: rootPath("spark", "conf"),
      SPARK_LOCAL_IP: "127.0.0.1",
      SPARK_LOCAL_DIRS: homePath("spark", "local"),
    },
  };
}

const masterUrl = ({ settings }: RecipeContext) => `spark://127.0.0.1:${setting(settings, "SPARK_MASTER_PORT")}`;
const recoveryFolder = () => homePath("spark", "recovery");
const connectAnswers = ({ settings }: ClientContext) => portAnswers(Number(setting(settings, "SPARK_CONNECT_PORT")));
const masterState = z.object({ aliveworkers: z.number() });

/** Workers that have joined the master. */
async function aliveWorkers({ settings }: ClientContext): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${setting(settings, "SPARK_UI_PORT")}/json/`, {
    signal: AbortSignal.timeout(3_000),
  });
  return masterState.parse(await response.json()).aliveworkers;
}

export const sparkMaster: Recipe = {
  ports: ["SPARK_MASTER_PORT", "SPARK_UI_PORT"],
  prepare: async (context) => {
    // Of what has ended there is nothing to recover, and the master would wait a minute for its answer.
    if (!(await connectAnswers(context))) rmSync(recoveryFolder(), { recursive: true, force: true });
  },
  command: (context) =>
    sparkCommand(context, "256m", [
      `-Dspark.deploy.recoveryDirectory=${recoveryFolder()}`,
      "org.apache.spark.deploy.master.Master",
      ...["--host", "127.0.0.1", "--port", setting(context.settings, "SPARK_MASTER_PORT")],
      ...["--webui-port", setting(context.settings, "SPARK_UI_PORT")],
    ]),
  isReady: async (context) => (await aliveWorkers(context)) >= 0,
};

export const sparkWorker: Recipe = {
  ports: ["SPARK_WORKER_PORT", "SPARK_WORKER_UI_PORT"],
  command: (context) =>
    sparkCommand(context, "256m", [
      "org.apache.spark.deploy.worker.Worker",
      ...["--host", "127.0.0.1", "--port", setting(context.settings, "SPARK_WORKER_PORT")],
      ...["--webui-port", setting(context.settings, "SPARK_WORKER_UI_PORT")],
      ...["--cores", setting(context.service.environment, "SPARK_WORKER_CORES")],
      ...["--memory", setting(context.service.environment, "SPARK_EXECUTOR_MEMORY")],
      ...["--work-dir", homePath("spark", "work"), masterUrl(context)],
    ]),
  isReady: async (context) => (await aliveWorkers(context)) > 0,
};

export const sparkConnect: Recipe = {
  ports: ["SPARK_CONNECT_PORT", "SPARK_CONNECT_UI_PORT"],
  command: (context) =>
    sparkCommand(context, setting(context.service.environment, "SPARK_DRIVER_MEMORY"), [
      "org.apache.spark.deploy.SparkSubmit",
      ...["--master", masterUrl(context), "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"],
      ...["--conf", "spark.connect.grpc.binding.address=127.0.0.1"],
      ...["--conf", `spark.connect.grpc.binding.port=${setting(context.settings, "SPARK_CONNECT_PORT")}`],
      ...["--conf", `spark.ui.port=${setting(context.settings, "SPARK_CONNECT_UI_PORT")}`],
      ...["--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1"],
      ...["--conf", `spark.executor.memory=${setting(context.service.environment, "SPARK_EXECUTOR_MEMORY")}`],
      ...["--conf", `spark.executor.extraJavaOptions=${executorJavaOptions(context.service)}`],
      ...["--conf", `spark.executor.extraClassPath=${join(context.toolchain.s3aJars, "*")}`],
      ...["--name", "boxoffice", "spark-internal"],
    ]),
  isReady: connectAnswers,
};
