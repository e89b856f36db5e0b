import { datasetNames } from "@boxoffice/contracts/dataset";
import { deadLetterTopic, partitions } from "@boxoffice/contracts/slice";
import type { Kafka } from "kafkajs";

/** A slice of wide records is a few MiB; the broker's default limit is 1 MiB. */
const largestMessage = String(16 << 20);

/** Makes the topics there are not. Records go only when their load is sealed, so nothing is deleted by age or size. */
export async function ensureTopics(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: [...datasetNames, deadLetterTopic].map((topic) => ({
        topic,
        numPartitions: partitions,
        configEntries: [
          { name: "retention.ms", value: "-1" },
          { name: "retention.bytes", value: "-1" },
          { name: "max.message.bytes", value: largestMessage },
        ],
      })),
    });
  } finally {
    await admin.disconnect();
  }
}
