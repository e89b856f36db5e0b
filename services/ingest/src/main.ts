import { rm } from "node:fs/promises";
import { join } from "node:path";
import { mostRatingsPosted } from "@boxoffice/contracts/liveRating";
import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { Jobs } from "@boxoffice/platform/jobs";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import { letHeapsGrow } from "@boxoffice/platform/letHeapsGrow";
import { serviceLog } from "@boxoffice/platform/log";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { closeOnSignal } from "@boxoffice/platform/shutdown";
import { ensureTopics } from "@boxoffice/platform/topics";
import { schedule } from "node-cron";
import { type Config, readConfig } from "./config.ts";
import { ingestServer } from "./http.ts";
import { LivePublisher, liveKafka } from "./livePublisher.ts";
import { Publisher } from "./publish.ts";
import { RateLimit } from "./rateLimit.ts";
import { readiness } from "./readiness.ts";
import { sources } from "./sources/sources.ts";
import { Watch } from "./watch.ts";

async function serve(config: Config): Promise<void> {
  // By 200 it is no faster, and near the memory of its container.
  letHeapsGrow(150);
  const log = serviceLog("ingest", config.LOG_LEVEL);
  // What a killed process left behind.
  await rm(join(config.WORK_DIR, "loads"), { recursive: true, force: true });

  const store = new ObjectStore(config);
  await store.ensureBucket();
  const kafka = kafkaClient("ingest", config.KAFKA_BROKERS, log);
  await ensureTopics(kafka);
  const publisher = new Publisher(kafka);
  await publisher.connect();

  const livePublisher = new LivePublisher(liveKafka(config.KAFKA_BROKERS, log));
  const sourceOf = sources(config);
  const jobs = new Jobs(log);
  const server = ingestServer({
    jobs,
    log,
    notReady: readiness(store, kafka),
    loads: {
      store,
      bucket: config.S3_BUCKET,
      publisher,
      sourceOf,
      workDirectory: config.WORK_DIR,
      maxRejectPercent: config.MAX_REJECT_PERCENT,
      log,
    },
    live: {
      publisher: livePublisher,
      rateLimit: new RateLimit(config.LIVE_RATE_LIMIT, Math.max(config.LIVE_RATE_LIMIT, mostRatingsPosted)),
    },
  });
  const stopWatching = startWatch(config, store, sourceOf, log);
  await server.listen({ host: config.HTTP_HOST, port: config.HTTP_PORT });
  log.info({ port: config.HTTP_PORT, edition: config.EDITION }, "ingest is ready");

  closeOnSignal(log, [
    () => server.close(),
    stopWatching,
    () => jobs.close(),
    () => publisher.close(),
    () => livePublisher.close(),
    () => store.close(),
  ]);
}

function startWatch(
  config: Config,
  store: ObjectStore,
  sourceOf: ReturnType<typeof sources>,
  log: ReturnType<typeof serviceLog>,
): () => Promise<void> {
  const { WATCH_CRON, AIRFLOW_URL: url, AIRFLOW_USERNAME: username, AIRFLOW_PASSWORD: password, EDITION } = config;
  if (!WATCH_CRON || !url || !username || !password) return async () => {};
  const stop = new AbortController();
  const airflow = new AirflowApi({ url, username, password, signal: stop.signal });
  const watch = new Watch({
    store,
    edition: EDITION,
    sourceOf: (dataset) => sourceOf(EDITION, dataset),
    requestRun: (run) => airflow.trigger(run),
    log,
  });
  const task = schedule(WATCH_CRON, () => watch.look(stop.signal));
  return async () => {
    await task.stop();
    stop.abort();
  };
}

try {
  await serve(readConfig());
} catch (error) {
  process.stderr.write(`ingest cannot start: ${ServiceError.from(error).message}\n`);
  process.exit(1);
}
