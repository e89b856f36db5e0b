import { type LiveRating, liveMessage, liveTopic } from "@boxoffice/contracts/liveRating";
import { HttpError } from "@boxoffice/platform/httpError";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import { ensureTopics } from "@boxoffice/platform/topics";
import kafkajs, { type Kafka, Partitioners, type Producer } from "kafkajs";
import type { Logger } from "pino";

/** Whoever posts a rating waits for Kafka: a broker that does not answer is given up on within some seconds. */
const impatience = {
  connectionTimeout: 1_000,
  requestTimeout: 2_000,
  retry: { initialRetryTime: 100, maxRetryTime: 400, retries: 3 },
};
const awaySeconds = 5;
const busySeconds = 1;
/** Ratings in one request to Kafka. */
const mostAtOnce = 2_000;
/** Ratings that may wait for their turn; memory stays bounded. */
const mostWaiting = 20_000;

interface Entry {
  ratings: readonly LiveRating[];
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A client that gives up on a broker early. */
export const liveKafka = (brokers: string[], log: Logger): Kafka =>
  kafkaClient("ingest-live", brokers, log, impatience);

/**
 * Puts single ratings on their topic. While one request is on its way to Kafka the next ratings gather, and go
 * together in the following one: a single rating waits for nobody, and a thousand a second make few requests.
 */
export class LivePublisher {
  readonly #kafka: Kafka;
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #waiting: Entry[] = [];
  #ratingsWaiting = 0;
  #sending: Promise<void> | undefined;
  #connected: Promise<void> | undefined;
  #making: Promise<void> | undefined;

  constructor(kafka: Kafka, topic: string = liveTopic) {
    this.#kafka = kafka;
    this.#topic = topic;
    // Not the idempotent producer, for the reason that publish.ts gives: the warehouse knows a rating it has.
    this.#producer = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
    });
  }

  /** Resolves when every replica in sync has all of the ratings; rejects when that is not certain. */
  append(ratings: readonly LiveRating[]): Promise<void> {
    if (this.#ratingsWaiting + ratings.length > mostWaiting) {
      const message = `${this.#ratingsWaiting} ratings wait for Kafka already: send these again in a moment`;
      return Promise.reject(new HttpError(503, "busy", message, { retryAfterSeconds: busySeconds }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ratings, resolve, reject });
      this.#ratingsWaiting += ratings.length;
      this.#sending ??= this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const entries = this.#take(mostAtOnce);
      try {
        await this.#send(entries.flatMap(({ ratings }) => ratings));
        for (const { resolve } of entries) resolve();
      } catch (cause) {
        if (lacksTopic(cause)) this.#makeTopic();
        // Those who wait would only wait as long for the same.
        for (const { reject } of [...entries, ...this.#take(mostWaiting)]) reject(kafkaAway(cause));
      }
    }
    // Nothing awaited since the last look: whoever goes on now and appends finds that nobody sends.
    this.#sending = undefined;
  }

  #take(most: number): Entry[] {
    const entries: Entry[] = [];
    let count = 0;
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (count > 0 && count + next.ratings.length > most) break;
      this.#waiting.shift();
      entries.push(next);
      count += next.ratings.length;
    }
    this.#ratingsWaiting -= count;
    return entries;
  }

  async #send(ratings: readonly LiveRating[]): Promise<void> {
    this.#connected ??= this.#producer.connect();
    await this.#connected.catch((error) => {
      this.#connected = undefined;
      throw error;
    });
    const messages = ratings.map(liveMessage);
    await this.#producer.send({ topic: this.#topic, messages, acks: -1 });
  }

  /** Kafka was emptied while the service ran. Not waited for: ratings are refused until the topic is there. */
  #makeTopic(): void {
    this.#making ??= ensureTopics(this.#kafka)
      // Whoever posts next finds that it is not there.
      .catch(() => [])
      .then(() => {
        this.#making = undefined;
      });
  }

  /** Waits for what is on its way. */
  async close(): Promise<void> {
    await this.#sending;
    await this.#making;
    await this.#producer.disconnect();
  }
}

function lacksTopic(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  return (
    (cause instanceof kafkajs.KafkaJSProtocolError && cause.type === "UNKNOWN_TOPIC_OR_PARTITION") ||
    lacksTopic(cause.cause)
  );
}

function kafkaAway(cause: unknown): HttpError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new HttpError(
    503,
    "kafka_unavailable",
    `Kafka did not confirm these ratings (${reason}): send them again; a rating that arrives twice counts once`,
    { retryAfterSeconds: awaySeconds, cause },
  );
}
