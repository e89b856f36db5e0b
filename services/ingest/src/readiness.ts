import { setTimeout as sleep } from "node:timers/promises";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Kafka } from "kafkajs";

const patienceMilliseconds = 2_000;

/** A function that names the engines that do not answer within two seconds. */
export function readiness(store: ObjectStore, kafka: Kafka): () => Promise<string[]> {
  const admin = kafka.admin({ retry: { retries: 0 } });
  const kafkaAnswers = async () => {
    await admin.connect();
    await admin.listTopics();
    return true;
  };
  return async () => {
    const [hasStore, hasKafka] = await Promise.all([inTime(store.isReachable()), inTime(kafkaAnswers())]);
    return [...(hasStore ? [] : ["object store"]), ...(hasKafka ? [] : ["kafka"])];
  };
}

async function inTime(answer: Promise<boolean>): Promise<boolean> {
  const timer = new AbortController();
  const tooLate = sleep(patienceMilliseconds, false, { signal: timer.signal });
  try {
    return await Promise.race([answer, tooLate]);
  } catch {
    return false;
  } finally {
    timer.abort();
    tooLate.catch(() => {});
  }
}
