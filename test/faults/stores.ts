import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { liveTopic } from "@boxoffice/contracts/liveRating";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Kafka } from "kafkajs";
import type pg from "pg";
import { pino } from "pino";
import { rootPath } from "../../scripts/boxHome.ts";
import { s3Settings } from "../../scripts/s3Settings.ts";
import { setting, type Variables } from "../../scripts/settings.ts";
import { connectWarehouse } from "../../scripts/warehouseClient.ts";
import { OwnDisk } from "../kit/ownDisk.ts";
import { ServiceProcess } from "../kit/serviceProcess.ts";
import { TestBox } from "../kit/testBox.ts";

/** The box that the files here share. */
export const box = new TestBox({ name: "stores", portOffset: 12_400, runtime: "embedded" });

/** The folder that holds all that a store has. */
export const folderOf = (store: "kafka" | "lake") => join(box.home, store);

/** Where one may mount, the disk that a store has for itself. */
export const diskOf = (store: "kafka" | "lake") => new OwnDisk(folderOf(store));

/** The stores of the box, from packages, whose services a test starts, stops and kills itself. */
export class Stores {
  readonly #directory = mkdtempSync(join(tmpdir(), "faults-"));
  readonly #services = new Set<ServiceProcess>();
  #client: Variables | undefined;
  #lake: ObjectStore | undefined;

  /** Starts those that do not run. */
  async start(): Promise<void> {
    await box.command("up", "--services", "kafka", "s3", "warehouse");
    this.#client = await box.client();
    this.#lake ??= new ObjectStore(s3Settings(this.#client));
  }

  get lake(): ObjectStore {
    if (!this.#lake) throw new Error("the stores are not started");
    return this.#lake;
  }

  /** Another bucket of the object store, which whoever asks for it closes. */
  async newLake(bucket: string): Promise<ObjectStore> {
    const lake = new ObjectStore({ ...s3Settings(this.#client ?? {}), S3_BUCKET: bucket });
    await lake.ensureBucket();
    return lake;
  }

  /** A connection to the warehouse, which whoever asks for it ends. */
  warehouse(): Promise<pg.Client> {
    return connectWarehouse({ environment: this.#client ?? {} });
  }

  get kafka(): Kafka {
    return kafkaClient("faults", setting(this.#client ?? {}, "KAFKA_BROKERS").split(","), pino({ level: "silent" }));
  }

  /** Leaves no live ratings to other loaders, in Kafka or the warehouse. */
  async clearLive(): Promise<void> {
    const admin = this.kafka.admin();
    const warehouse = await this.warehouse();
    await admin.connect();
    try {
      await admin.deleteTopicRecords({ topic: liveTopic, partitions: await admin.fetchTopicOffsets(liveTopic) });
      await warehouse.query("truncate live.ratings");
    } finally {
      await Promise.all([admin.disconnect(), warehouse.end()]);
    }
  }

  /** Starts an ingest or a loader on them, with a folder of its own to work in; it may not be ready yet. */
  async launch(name: "ingest" | "loader", settings: Variables = {}): Promise<ServiceProcess> {
    const service = await ServiceProcess.launch(name, {
      ...this.#client,
      EDITION: "none",
      WORK_DIR: this.directory(),
      MIGRATIONS_DIR: rootPath("warehouse", "migrations", "postgres"),
      ...settings,
    });
    this.#services.add(service);
    return service;
  }

  /** Starts an ingest or a loader on them and waits until it is ready. */
  async service(name: "ingest" | "loader", settings: Variables = {}): Promise<ServiceProcess> {
    const service = await this.launch(name, settings);
    await service.untilReady();
    return service;
  }

  /** A new folder, until the stores are removed. */
  directory(): string {
    return mkdtempSync(join(this.#directory, "made-"));
  }

  async endServices(): Promise<void> {
    for (const service of this.#services) await service.end("SIGKILL");
    this.#services.clear();
  }

  /** Ends what was started here; the stores stay. */
  async close(): Promise<void> {
    await this.endServices();
    this.#lake?.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
