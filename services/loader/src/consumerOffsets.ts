import { setTimeout as sleep } from "node:timers/promises";
import { ServiceError } from "@boxoffice/platform/serviceError";
import kafkajs, { type Admin, type Kafka } from "kafkajs";

/** Records that the consumer group has not read and the topic no longer has. */
export interface OffsetFault {
  topic: string;
  partition: number;
  /** The offset to read next. */
  expected: string;
  /** The first offset there is from there on, or the end of the partition when it is shorter. */
  found: string;
}

/** The error for records that were gone before they were read. */
export function offsetFaultError({ topic, partition, expected, found }: OffsetFault, remedy: string): ServiceError {
  return new ServiceError(
    "offset_out_of_range",
    `topic ${topic}, partition ${partition}: the next record to read is ${expected}, but the topic now ` +
      `${BigInt(found) > BigInt(expected) ? "begins at" : "ends at"} ${found}: records are lost, and the loader reads no more of it. ${remedy}`,
  );
}

const attempts = 8;
const looks = 7;

/** Compares what the group has committed with what the topics hold. */
export async function offsetsOutOfRange(kafka: Kafka, groupId: string, topics: string[]): Promise<OffsetFault[]> {
  return withAdmin(kafka, async (admin) => {
    const faults: OffsetFault[] = [];
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics })) {
      const ranges = await admin.fetchTopicOffsets(topic);
      for (const { partition, offset } of partitions) {
        const range = ranges.find((candidate) => candidate.partition === partition);
        if (!range || BigInt(offset) < 0n) continue;
        if (BigInt(offset) < BigInt(range.low)) {
          faults.push({ topic, partition, expected: offset, found: range.low });
        } else if (BigInt(offset) > BigInt(range.high)) {
          faults.push({ topic, partition, expected: offset, found: range.high });
        }
      }
    }
    return faults;
  });
}

/** Whether the topics hold records that the group has not committed. */
export async function hasUnread(kafka: Kafka, groupId: string, topics: string[]): Promise<boolean> {
  return withAdmin(kafka, async (admin) => {
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics })) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const committed = BigInt(partitions.find((known) => known.partition === partition)?.offset ?? -1);
        if ((committed < BigInt(low) ? BigInt(low) : committed) < BigInt(high)) return true;
      }
    }
    return false;
  });
}

/** By partition, the offset that the next record will have. */
export async function topicEnds(kafka: Kafka, topic: string): Promise<number[]> {
  return withAdmin(kafka, async (admin) => {
    const ends: number[] = [];
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) ends[partition] = Number(high);
    return ends;
  });
}

/** Deletes a topic's records that the group is past. */
export async function deleteConsumed(kafka: Kafka, groupId: string, topics: string[]): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics })) {
      const ranges = await admin.fetchTopicOffsets(topic);
      const consumed = partitions.filter(({ partition, offset }) => {
        const low = ranges.find((range) => range.partition === partition)?.low;
        return low !== undefined && BigInt(offset) > BigInt(low);
      });
      if (consumed.length > 0) await admin.deleteTopicRecords({ topic, partitions: consumed });
    }
  });
}

/**
 * The same when a load of theirs is sealed: the last of it may be committed only after that, so as long as there is
 * something unread it is done again, for half a minute.
 */
export async function deleteSealed(
  kafka: Kafka,
  groupId: string,
  topics: string[],
  pauseMilliseconds = 5_000,
): Promise<void> {
  for (let look = 1; look <= looks; look += 1) {
    const isLast = look === looks || !(await hasUnread(kafka, groupId, topics));
    await deleteConsumed(kafka, groupId, topics);
    if (isLast) return;
    await sleep(pauseMilliseconds, undefined, { ref: false });
  }
}

async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work(admin);
      } catch (error) {
        // A partition that was just made, or whose broker just started, has no leader for a moment.
        if (!(error instanceof kafkajs.KafkaJSError && error.retriable) || attempt === attempts) throw error;
        await sleep(200 * attempt);
      }
    }
  } finally {
    await admin.disconnect();
  }
}
