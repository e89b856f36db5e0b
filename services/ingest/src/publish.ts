import { ServiceError } from "@boxoffice/platform/serviceError";
import { ensureTopics } from "@boxoffice/platform/topics";
import kafkajs, { type Kafka, type Message, Partitioners, type Producer } from "kafkajs";
import type { SliceMessage } from "./sliceEncoder.ts";

/** One request holds about this much, of ratings the eight slices of half a group: the loader fetches from all partitions then. */
const requestBytes = (2 << 20) + (64 << 10);
/** One is made while another is under way. More would only take memory. */
const requestsAtOnce = 2;

/** Puts slices on their topics. */
export class Publisher {
  readonly #kafka: Kafka;
  readonly #producer: Producer;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
    // Not the idempotent producer: a slice that arrives twice is dropped by its number, and kafkajs gives up for good
    // when a broker has forgotten its sequence.
    this.#producer = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
      maxInFlightRequests: requestsAtOnce,
    });
  }

  /** Connects to Kafka; before it nothing can be published. */
  async connect(): Promise<void> {
    await this.#producer.connect();
  }

  /**
   * Sends the messages in order, but for what Kafka takes only at the second time, each acknowledged by every replica in
   * sync; reports each as it is. Answers the topics that had to be made first: Kafka was emptied while the service ran.
   */
  async publish(
    messages: AsyncIterable<SliceMessage>,
    signal: AbortSignal,
    onSent: (message: SliceMessage) => void,
  ): Promise<string[]> {
    const made = await ensureTopics(this.#kafka).catch((cause: unknown) => {
      throw sendError(cause);
    });
    const underWay: Promise<void>[] = [];
    const send = async (batch: readonly SliceMessage[]) => {
      signal.throwIfAborted();
      if (underWay.length === requestsAtOnce) await underWay.shift();
      const sent = this.#send(batch).then(() => batch.forEach(onSent));
      // Who waits for it hears of its failure; until then it is none that nobody handles.
      sent.catch(() => {});
      underWay.push(sent);
    };
    try {
      let batch: SliceMessage[] = [];
      let bytes = 0;
      for await (const message of messages) {
        if (batch.length > 0 && bytes + message.value.length > requestBytes) {
          await send(batch);
          batch = [];
          bytes = 0;
        }
        batch.push(message);
        bytes += message.value.length;
      }
      await send(batch);
      await Promise.all(underWay);
      signal.throwIfAborted();
    } finally {
      await Promise.allSettled(underWay);
    }
    return made;
  }

  async #send(batch: readonly SliceMessage[]): Promise<void> {
    const byTopic = new Map<string, Message[]>();
    for (const { topic, partition, headers, value } of batch) {
      const messages = byTopic.get(topic) ?? [];
      messages.push({ partition, headers, value });
      byTopic.set(topic, messages);
    }
    const topicMessages = [...byTopic].map(([topic, messages]) => ({ topic, messages }));
    await this.#producer.sendBatch({ topicMessages, acks: -1 }).catch((cause: unknown) => {
      throw sendError(cause);
    });
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}

function sendError(thrown: unknown): unknown {
  if (thrown instanceof kafkajs.KafkaJSProtocolError && thrown.type === "MESSAGE_TOO_LARGE") {
    return new ServiceError(
      "slice_too_large",
      "a slice is larger than the topic's max.message.bytes: its records are far longer than any known edition's",
      { cause: thrown },
    );
  }
  if (!(thrown instanceof kafkajs.KafkaJSError)) return thrown;
  const message =
    `Kafka did not take the slices: ${thrown.message}. ./box status says whether it runs, ./box logs kafka why it ended: ` +
    "a full disk ends it. Make room there, start it with ./box up, and run again";
  return new ServiceError("kafka_unavailable", message, { retryable: true, cause: thrown });
}
