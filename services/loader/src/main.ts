import { EventEmitter, once } from "node:events";
import { datasetNames } from "@boxoffice/contracts/dataset";
import { liveTopic } from "@boxoffice/contracts/liveRating";
import { deadLetterTopic } from "@boxoffice/contracts/slice";
import { Jobs } from "@boxoffice/platform/jobs";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import { letHeapsGrow } from "@boxoffice/platform/letHeapsGrow";
import { serviceLog } from "@boxoffice/platform/log";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { closeOnSignal } from "@boxoffice/platform/shutdown";
import { ensureTopics } from "@boxoffice/platform/topics";
import { warehousePool } from "@boxoffice/platform/warehousePool";
import { Bronze } from "./bronze.ts";
import { loaderConfig } from "./config.ts";
import { SliceConsumer } from "./consume.ts";
import { deleteConsumed, deleteSealed, hasUnread } from "./consumerOffsets.ts";
import { loaderServer } from "./http.ts";
import { keepTopics } from "./keepTopics.ts";
import { sweepCompacted } from "./liveCompaction.ts";
import { LiveConsumer } from "./liveConsumer.ts";
import { fixLiveInput } from "./liveInput.ts";
import { sweepLive } from "./liveTable.ts";
import { migrate } from "./migrations.ts";
import { ParquetThread } from "./parquetThread.ts";
import { keptRuns, sweepVersions } from "./sweep.ts";
import { sweepLake } from "./sweepLake.ts";
import { whenReachable } from "./whenReachable.ts";

// Its threads' heaps grow too: by 100 % it passes the memory of its container.
letHeapsGrow(50);
const config = loaderConfig();
const log = serviceLog("loader", config.LOG_LEVEL);
const lake = new ObjectStore(config);
const pool = warehousePool(config, {
  application: "boxoffice-loader",
  // One of them hears what other loaders ask for.
  connections: 9,
  connectMilliseconds: 10_000,
  log,
});
const kafka = kafkaClient("loader", config.KAFKA_BROKERS, log);
const parquetThread = new ParquetThread();
const bronze = new Bronze(lake, log, (slices) => parquetThread.encode(slices));
const seals = new Jobs(log);
const versions = new Jobs(log);
const consumer = new SliceConsumer({
  kafka,
  groupId: config.CONSUMER_GROUP,
  bronze,
  log,
  abandonedAfterMilliseconds: config.ABANDONED_GROUP_SECONDS * 1000,
  onOffsetOutOfRange: config.OFFSET_OUT_OF_RANGE,
});
/** A group of its own: a bulk load that joins, leaves or fails is not felt here. */
const liveGroup = `${config.CONSUMER_GROUP}-live`;
const live = new LiveConsumer({
  kafka,
  groupId: liveGroup,
  lake,
  pool,
  log,
  objectMilliseconds: config.LIVE_OBJECT_SECONDS * 1000,
  onOffsetOutOfRange: config.OFFSET_OUT_OF_RANGE,
});

/** Work that follows a request and does not hold it up; what fails is done again after a later one. */
function afterwards(what: string, work: () => Promise<void>): void {
  work().catch((error: Error) => log.warn({ reason: error.message }, `${what} failed`));
}

const migrations = new EventEmitter().setMaxListeners(0);
let areMigrated = false;

const server = loaderServer({
  seal: {
    lake,
    bronze,
    consumerFault: () => consumer.fault,
    hasUnread: (dataset) => hasUnread(kafka, config.CONSUMER_GROUP, [dataset, deadLetterTopic]),
    idleMilliseconds: config.SEAL_IDLE_SECONDS * 1000,
  },
  pool,
  seals,
  versions,
  untilMigrated: async (signal) => {
    if (!areMigrated) await once(migrations, "applied", { signal });
  },
  fixLive: (known) => fixLiveInput({ lake, kafka, pool, flush: (ends) => live.flush(ends), log }, known),
  onSealed: (dataset) =>
    afterwards("deleting consumed records", () =>
      deleteSealed(kafka, config.CONSUMER_GROUP, [dataset, deadLetterTopic]),
    ),
  onPublished: () => {
    afterwards("sweeping", async () => {
      await sweepVersions(pool, config.KEEP_VERSIONS, log);
      log.info({ rows: await sweepLive(pool) }, "live ratings swept that every version has");
      await sweepLake(lake, await keptRuns(pool), log);
      await sweepCompacted(lake, log);
    });
    afterwards("deleting consumed records", () => deleteConsumed(kafka, liveGroup, [liveTopic]));
  },
  notReady,
  log,
});

async function notReady(): Promise<string[]> {
  const hasWarehouse = await pool.query("select from marts.current").then(
    () => true,
    () => false,
  );
  return [
    ...((await lake.isReachable()) ? [] : ["the lake"]),
    ...(hasWarehouse ? [] : ["the warehouse"]),
    ...(consumer.isJoined ? [] : ["the topics"]),
    ...(live.isJoined ? [] : ["the live topic"]),
    ...(bronze.lastRefusal ? [`a lake that takes slices: ${bronze.lastRefusal.message}`] : []),
    ...[consumer.fault, live.fault].flatMap((fault) => (fault ? [fault.message] : [])),
  ];
}

let endTopics = () => {};
closeOnSignal(log, [
  () => server.close(),
  () => endTopics(),
  () => Promise.all([consumer.stop(), live.stop()]).then(() => {}),
  () => parquetThread.close(),
  () => seals.close(),
  () => versions.close(),
  // Not waited for: a sweep may be waiting for readers, and the next one takes up what it began.
  () => void pool.end(),
  () => lake.close(),
]);

try {
  await server.listen({ host: config.HTTP_HOST, port: config.HTTP_PORT });
  await whenReachable("the warehouse", () => migrate(pool, config.MIGRATIONS_DIR, log), log);
  areMigrated = true;
  migrations.emit("applied");
  await whenReachable("the lake", () => lake.ensureBucket(), log);
  await whenReachable("Kafka", () => ensureTopics(kafka).then(() => {}), log);
  endTopics = keepTopics(kafka, log);
  // Side by side: each group waits until a loader that was killed counts as dead.
  await Promise.all([
    whenReachable("the topics", () => consumer.start(), log),
    whenReachable("the live topic", () => live.start(), log),
  ]);
  log.info({ topics: datasetNames, port: config.HTTP_PORT }, "loader started");
} catch (error) {
  log.fatal({ reason: ServiceError.from(error).message }, "the loader cannot start");
  process.exit(1);
}
