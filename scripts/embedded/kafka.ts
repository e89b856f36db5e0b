import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { homePath } from "../boxHome.ts";
import { run } from "../install/run.ts";
import { setting, type Variables } from "../settings.ts";
import type { Recipe } from "./recipe.ts";

const propertiesFile = () => homePath("kafka.properties");
const dataFolder = () => homePath("kafka");

/** Those that Kafka's start script in the image puts before the program. */
const javaOptions = ["KAFKA_HEAP_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS"];

/** KAFKA_LOG_DIRS -> log.dirs, as the official image maps its variables. */
function properties(environment: Variables): string {
  return Object.entries(environment)
    .filter(([name]) => name.startsWith("KAFKA_") && !javaOptions.includes(name))
    .map(([name, value]) => `${name.slice("KAFKA_".length).toLowerCase().replaceAll("_", ".")}=${value}\n`)
    .join("");
}

/** A single Kafka node, broker and controller (KRaft). */
export const kafka: Recipe = {
  ports: ["KAFKA_PORT", "KAFKA_CONTROLLER_PORT"],
  prepare: async ({ service, toolchain }) => {
    mkdirSync(dataFolder(), { recursive: true });
    writeFileSync(propertiesFile(), properties(service.environment));
    if (existsSync(join(dataFolder(), "meta.properties"))) return;
    const clusterId = randomBytes(16).toString("base64url");
    const classpath = join(toolchain.kafkaJars, "*");
    // One id in 64 begins with a hyphen, which apart from its option would be taken for another option.
    const format = ["kafka.tools.StorageTool", "format", `--cluster-id=${clusterId}`, "--config", propertiesFile()];
    await run(toolchain.java, ["-cp", classpath, ...format]);
  },
  command: ({ service, toolchain }) => ({
    command: toolchain.java,
    args: [
      ...javaOptions.flatMap((name) => setting(service.environment, name).split(" ")),
      ...["-cp", join(toolchain.kafkaJars, "*"), "kafka.Kafka", propertiesFile()],
    ],
    env: {},
  }),
  isReady: async ({ settings }) => {
    // Every command reads this file, and kafkajs is hundreds of files.
    const { Kafka, logLevel } = await import("kafkajs");
    const admin = new Kafka({
      clientId: "box",
      brokers: [`127.0.0.1:${setting(settings, "KAFKA_PORT")}`],
      logLevel: logLevel.NOTHING,
      connectionTimeout: 2_000,
      retry: { retries: 0 },
    }).admin();
    try {
      await admin.connect();
      return (await admin.describeCluster()).brokers.length > 0;
    } finally {
      await admin.disconnect();
    }
  },
};
