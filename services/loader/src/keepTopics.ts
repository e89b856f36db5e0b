import { ServiceError } from "@boxoffice/platform/serviceError";
import { ensureTopics } from "@boxoffice/platform/topics";
import type { Kafka } from "kafkajs";
import type { Logger } from "pino";

const lookMilliseconds = 5_000;

/**
 * Looks now and then whether the topics are there, and makes those that are not: Kafka was emptied while the loader ran,
 * which joins no group until they are there. Answers what ends it.
 */
export function keepTopics(kafka: Kafka, log: Logger): () => void {
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      const topics = await ensureTopics(kafka);
      if (topics.length > 0) log.warn({ topics }, "Kafka was emptied while the loader ran: its topics are made anew");
    } catch (error) {
      log.warn({ reason: ServiceError.from(error).message }, "whether the topics are there is not known");
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), lookMilliseconds);
  return () => clearInterval(timer);
}
