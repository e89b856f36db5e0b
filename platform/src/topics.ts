import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { datasetNames } from "@boxoffice/contracts/dataset";
import { liveTopic } from "@boxoffice/contracts/liveRating";
import { deadLetterTopic, partitions } from "@boxoffice/contracts/slice";
import kafkajs, { type Admin, type ITopicConfig, type Kafka } from "kafkajs";
import { ServiceError } from "./serviceError.ts";

/** A slice of wide records is a few MiB; the broker's default limit is 1 MiB. */
const largestMessage = String(16 << 20);
const patienceMilliseconds = 30_000;
/**
 * Tells a topic from one of the same name that was there before. Kafka's own id of a topic is in no request that kafkajs
 * knows; this setting takes any number, and such a one means what the default means: never flush by count.
 */
const identitySetting = "flush.messages";

/** Makes the topics there are not, and answers their names. Records go only when the lake is known to hold them, so nothing is deleted by age or size. */
export async function ensureTopics(kafka: Kafka): Promise<string[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = await admin.listTopics();
    const wanted = [...datasetNames, liveTopic, deadLetterTopic].filter((topic) => !existing.includes(topic));
    if (wanted.length === 0) return wanted;
    await admin.createTopics({
      // kafkajs' own wait throws when a partition has no leader yet.
      waitForLeaders: false,
      topics: wanted.map(newTopic),
    });
    await untilLed(admin, wanted);
    return wanted;
  } finally {
    await admin.disconnect();
  }
}

/** A topic as it is made, with an identity of its own. */
export function newTopic(topic: string): ITopicConfig {
  return {
    topic,
    numPartitions: partitions,
    configEntries: [
      { name: "retention.ms", value: "-1" },
      { name: "retention.bytes", value: "-1" },
      { name: "max.message.bytes", value: largestMessage },
      { name: identitySetting, value: newIdentity() },
    ],
  };
}

/** From 2^62 to before 2^63. */
function newIdentity(): string {
  return String((1n << 62n) + (randomBytes(8).readBigUInt64BE() >> 2n));
}

/** By what a topic differs from one of the same name before it; the same for all that others made without it. */
export async function topicIdentity(kafka: Kafka, topic: string): Promise<string> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: [identitySetting] }],
    });
    const found = resources[0]?.configEntries.find(({ configName }) => configName === identitySetting);
    if (found) return found.configValue;
    throw new ServiceError("unknown_topic", `Kafka does not tell ${identitySetting} of topic ${topic}`, {
      retryable: true,
    });
  } finally {
    await admin.disconnect();
  }
}

/** A broker may name itself as leader before it serves a partition, so each is asked for its offsets. */
async function untilLed(admin: Admin, topics: string[]): Promise<void> {
  const deadline = Date.now() + patienceMilliseconds;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const metadata = await admin.fetchTopicMetadata({ topics });
      if (metadata.topics.every((topic) => topic.partitions.every(({ leader }) => leader >= 0))) {
        await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
        return;
      }
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new ServiceError("no_leader", `Kafka has no leader for ${topics.join(", ")} after 30 s`, {
    retryable: true,
    cause: last,
  });
}
