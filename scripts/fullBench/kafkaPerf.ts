import { join } from "node:path";
import { partitions } from "@boxoffice/contracts/slice";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import { pino } from "pino";
import { run } from "../install/run.ts";
import type { Toolchain } from "../install/toolchain.ts";

export interface KafkaPerf {
  produce_seconds: number;
  consume_seconds: number;
}

/** Kafka's own performance tests with as many records of the size of a slice, on a topic of their own, which goes again. */
export async function kafkaPerf(
  { java, kafkaJars }: Pick<Toolchain, "java" | "kafkaJars">,
  brokers: string,
  slices: { count: number; bytes: number },
): Promise<KafkaPerf> {
  const topic = `bench-${process.pid}`;
  const admin = kafkaClient("bench", brokers.split(","), pino({ level: "silent" })).admin();
  await admin.connect();
  try {
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions }] });
    const tool = (name: string, ...args: string[]) =>
      run(java, ["-Xmx256m", "-cp", join(kafkaJars, "*"), `org.apache.kafka.tools.${name}`, "--topic", topic, ...args]);
    const size = Math.round(slices.bytes / slices.count);
    const produced = await tool(
      "ProducerPerformance",
      ...["--num-records", String(slices.count), "--record-size", String(size), "--throughput", "-1"],
      ...["--producer-props", `bootstrap.servers=${brokers}`, "acks=all"],
    );
    const consumed = await tool(
      "ConsumerPerformance",
      ...["--bootstrap-server", brokers, "--messages", String(slices.count), "--hide-header"],
    );
    return { produce_seconds: slices.count / recordsPerSecond(produced), consume_seconds: fetchSeconds(consumed) };
  } finally {
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  }
}

/** Of the producer's last line, `1589 records sent, 1022.5 records/sec (260.37 MB/sec), ...`. */
function recordsPerSecond(output: string): number {
  const rate = /([\d.]+) records\/sec/.exec(output.trim().split("\n").at(-1) ?? "")?.[1];
  if (rate === undefined) throw new Error(`expected records/sec of kafka-producer-perf-test, got:\n${output}`);
  return Number(rate);
}

/** Of the consumer's line: start, end, MB, MB/s, messages, messages/s, milliseconds to join the group, and to fetch. */
function fetchSeconds(output: string): number {
  const milliseconds = output.trim().split("\n").at(-1)?.split(",")[7];
  if (milliseconds === undefined)
    throw new Error(`expected eight figures of kafka-consumer-perf-test, got:\n${output}`);
  return Number(milliseconds) / 1000;
}
