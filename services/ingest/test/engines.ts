import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { deadLetterTopic, type SliceHeaders, sliceHeaders } from "@boxoffice/contracts/slice";
import type { JobContext } from "@boxoffice/platform/jobs";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import { ensureTopics } from "@boxoffice/platform/topics";
import { pino } from "pino";
import { vi } from "vitest";
import { type LoadServices, load } from "../src/load.ts";
import { Publisher } from "../src/publish.ts";
import { directorySource } from "../src/sources/directory.ts";

export const quiet = pino({ level: "silent" });

/** The address or key of an engine that tests run against. */
export function engine(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests need real engines`);
  return value;
}

/** The real object store, or what stands before it, as a client of a bucket. */
export function storeOf(bucket: string, endpoint = engine("TEST_S3_ENDPOINT")): ObjectStore {
  return new ObjectStore({
    S3_ENDPOINT: endpoint,
    S3_REGION: "us-east-1",
    S3_BUCKET: bucket,
    S3_ACCESS_KEY: engine("TEST_S3_ACCESS_KEY"),
    S3_SECRET_KEY: engine("TEST_S3_SECRET_KEY"),
  });
}

export interface Engines {
  store: ObjectStore;
  bucket: string;
  workDirectory: string;
  loads: LoadServices;
  /** A load of a directory's dataset, with a run id of its own unless one is given. */
  load: (
    dataset: DatasetName,
    edition: string,
    more?: { run_id?: string; full_refresh?: boolean; context?: JobContext; maxRejectPercent?: number },
  ) => ReturnType<typeof load>;
  /** What was put on the topics of a load, in the order of each partition. */
  published: (dataset: DatasetName, loadId: string) => Promise<Published[]>;
  close: () => Promise<void>;
}

export interface Published {
  topic: string;
  partition: number;
  headers: SliceHeaders;
  value: Buffer;
}

export function patientContext(progress: JobContext["progress"] = () => {}): JobContext {
  return { signal: new AbortController().signal, progress };
}

/** The real object store with a bucket of its own, and the real Kafka. */
export async function startEngines(): Promise<Engines> {
  const bucket = `ingest-${randomUUID()}`;
  const store = storeOf(bucket);
  await store.ensureBucket();
  const kafka = kafkaClient("ingest-test", engine("TEST_KAFKA_BROKERS").split(","), quiet);
  await ensureTopics(kafka);
  const publisher = new Publisher(kafka);
  await publisher.connect();
  const reader = await startReader(kafka);
  const workDirectory = await mkdtemp(join(tmpdir(), "ingest-"));
  const loads: LoadServices = {
    store,
    bucket,
    publisher,
    sourceOf: (edition = "none") => directorySource(edition),
    workDirectory,
    maxRejectPercent: 5,
    log: quiet,
  };

  return {
    store,
    bucket,
    workDirectory,
    loads,
    load: (dataset, edition, { context, maxRejectPercent = 5, run_id = randomUUID(), full_refresh = false } = {}) =>
      load({ run_id, dataset, edition, full_refresh }, { ...loads, maxRejectPercent }, context ?? patientContext()),
    published: async (dataset, loadId) => {
      const messages = await reader.read();
      return messages.filter(({ headers }) => headers.load_id === loadId && headers.dataset === dataset);
    },
    close: async () => {
      const keys: string[] = [];
      for await (const { key } of store.list("")) keys.push(key);
      await store.delete(keys);
      await reader.close();
      await publisher.close();
      store.close();
      await rm(workDirectory, { recursive: true, force: true });
    },
  };
}

/** Collects what is put on the topics from now on. */
async function startReader(kafka: ReturnType<typeof kafkaClient>) {
  const topics = [...datasetNames, deadLetterTopic];
  const groupId = `ingest-test-${randomUUID()}`;
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId, maxBytesPerPartition: 16 << 20, maxWaitTimeInMs: 100 });
  const found: Published[] = [];
  const reached = new Map<string, number>();
  const ends = async () => {
    const all = topics.map(async (topic) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.map(({ partition, high }) => ({ topic, partition, high }));
    });
    return (await Promise.all(all)).flat();
  };

  await admin.connect();
  const start = await ends();
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
      const parsed = sliceHeaders.safeParse(Object.fromEntries(headers));
      const value = message.value ?? Buffer.alloc(0);
      if (parsed.success) found.push({ topic, partition, headers: parsed.data, value });
      reached.set(`${topic} ${partition}`, Number(message.offset) + 1);
    },
  });
  for (const { topic, partition, high } of start) {
    reached.set(`${topic} ${partition}`, Number(high));
    consumer.seek({ topic, partition, offset: high });
  }

  return {
    /** Everything that is on the topics when this is called. */
    read: async (): Promise<Published[]> => {
      const wanted = await ends();
      const isThere = () =>
        wanted.every(({ topic, partition, high }) => (reached.get(`${topic} ${partition}`) ?? 0) >= Number(high));
      await vi.waitUntil(isThere, { timeout: 30_000, interval: 50 });
      return found;
    },
    close: async () => {
      await consumer.disconnect();
      await admin.deleteGroups([groupId]);
      await admin.disconnect();
    },
  };
}
