import { Kafka, type KafkaConfig, type LogEntry, logLevel } from "kafkajs";
import type { Logger } from "pino";
import { quietRequestQueue } from "./quietRequestQueue.ts";

quietRequestQueue();

/** A kafkajs client that logs through pino. A starting broker makes kafkajs report retries as errors; they are warnings here. */
export function kafkaClient(
  clientId: string,
  brokers: string[],
  log: Logger,
  limits: Pick<KafkaConfig, "retry" | "requestTimeout" | "connectionTimeout"> = {},
): Kafka {
  return new Kafka({
    clientId,
    brokers,
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries: 12 },
    ...limits,
    logLevel: logLevel.WARN,
    logCreator: () => (entry: LogEntry) => {
      const { message, error, groupId, topic } = entry.log;
      log.warn({ kafka: entry.namespace, error, groupId, topic }, message);
    },
  });
}
