import { type LiveRating, liveMessage } from "@boxoffice/contracts/liveRating";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { newTopic } from "@boxoffice/platform/topics";
import { tableFromIPC } from "apache-arrow";
import { type Admin, type Kafka, Partitioners, type Producer } from "kafkajs";
import { readParquet } from "parquet-wasm";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { listLiveObjects } from "../src/liveObjects.ts";
import { migrate } from "../src/migrations.ts";
import { migrationsDirectory, newDatabase, newKafka, newLake, quietLog, uniqueName, until } from "./engines.ts";

export const rated = (user_id: number, movie_id: number, rating = 3.5, timestamp = 100): LiveRating => ({
  user_id,
  movie_id,
  rating,
  timestamp,
});

/** Ratings of many users, each of another movie. */
export const many = (count: number, firstUser = 1) =>
  Array.from({ length: count }, (_none, at) => rated(firstUser + at, 1 + (at % 50), 0.5 + (at % 10) / 2, 100 + at));

/** Every rating that a run reads from bronze, by user. */
export async function ratingsInBronze(lake: ObjectStore): Promise<LiveRating[]> {
  const found: LiveRating[] = [];
  for (const { key } of (await listLiveObjects(lake)).current.flat()) {
    const bytes = await lake.bytes(key);
    if (!bytes) continue;
    for (const row of tableFromIPC(readParquet(bytes).intoIPCStream())) {
      const { user_id, movie_id, rating, timestamp } = row.toJSON();
      found.push({ user_id, movie_id, rating, timestamp: Number(timestamp) });
    }
  }
  return found.sort((a, b) => a.user_id - b.user_id || a.timestamp - b.timestamp);
}

/**
 * What each test of a file has for itself: a lake, a topic, and a table of live ratings that is empty. The file's own hooks
 * go below the call, so that what they start ends before its lake is closed.
 */
export class LiveStores {
  readonly topics = new LiveTopics();
  pool!: pg.Pool;
  lake!: ObjectStore;
  topic = "";

  constructor() {
    let drop: () => Promise<void>;
    beforeAll(async () => {
      await this.topics.connect();
      ({ pool: this.pool, drop } = await newDatabase());
      await migrate(this.pool, migrationsDirectory, quietLog);
    });
    beforeEach(async () => {
      this.lake = await newLake();
      this.topic = await this.topics.create();
      await this.pool.query("truncate live.ratings");
    });
    afterEach(() => this.lake.close());
    afterAll(async () => {
      await this.topics.close();
      await drop();
    });
  }
}

/** Topics of live ratings for a test file, and a producer to them, as ingest has one. */
class LiveTopics {
  readonly kafka: Kafka = newKafka();
  readonly producer: Producer = this.kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  readonly admin: Admin = this.kafka.admin();
  readonly #topics: string[] = [];

  async connect(): Promise<void> {
    await this.producer.connect();
    await this.admin.connect();
  }

  async create(): Promise<string> {
    const topic = uniqueName("live");
    this.#topics.push(topic);
    await this.createAgain(topic);
    return topic;
  }

  /** Makes a topic that was deleted. */
  async createAgain(topic: string): Promise<void> {
    await this.admin.createTopics({ topics: [newTopic(topic)], waitForLeaders: false });
    await until("the topic is known", () => this.admin.fetchTopicOffsets(topic).then(Boolean, () => false));
  }

  /** Resolves when the ratings are acknowledged. */
  async produce(topic: string, ratings: readonly LiveRating[]): Promise<void> {
    await this.producer.send({ topic, messages: ratings.map(liveMessage), acks: -1 });
  }

  /** By partition, what a group has committed; -1 where nothing. */
  async committed(groupId: string, topic: string): Promise<number[]> {
    const [found] = await this.admin.fetchOffsets({ groupId, topics: [topic] });
    return (found?.partitions ?? []).sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
  }

  /** Deletes the topics. */
  async close(): Promise<void> {
    await this.admin.deleteTopics({ topics: this.#topics });
    await this.admin.disconnect();
    await this.producer.disconnect();
  }
}
