import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Kafka } from "kafkajs";
import type pg from "pg";
import { pino } from "pino";
import { airflowSettings } from "../../scripts/airflowSettings.ts";
import { s3Settings } from "../../scripts/s3Settings.ts";
import { setting, type Variables } from "../../scripts/settings.ts";
import { connectWarehouse } from "../../scripts/warehouseClient.ts";
import { TestBox, type TestBoxOptions } from "./testBox.ts";

export interface StartBoxOptions extends Partial<TestBoxOptions> {
  /** Which services, with what they need; by default the whole box, with its first run made. */
  services?: string[];
}

/** A box that runs, with clients of its engines. */
export interface RunningBox {
  /** Addresses and secrets, as `./box env` prints them. */
  environment: Variables;
  lake: ObjectStore;
  kafka: Kafka;
  airflow: AirflowApi;
  /** A connection to the warehouse, which whoever asks for it ends. */
  warehouse: () => Promise<pg.Client>;
  /** Runs ./box and answers its standard output; throws with all it said when it fails. */
  command: (...args: string[]) => Promise<string>;
  /** Ends the box and removes its state. */
  stop: () => Promise<void>;
}

/**
 * Starts a box from nothing for a test suite, on either runtime. A client works when its service is among those started.
 * Two boxes at a time need different names and port offsets.
 */
export async function startBox({ services = [], ...options }: StartBoxOptions = {}): Promise<RunningBox> {
  const box = new TestBox({ name: "kit", portOffset: 11_500, ...options });
  const environment = await box.start(...services);
  const lake = new ObjectStore(s3Settings(environment));
  const log = pino({ level: "silent" });
  return {
    environment,
    lake,
    kafka: kafkaClient("test-kit", setting(environment, "KAFKA_BROKERS").split(","), log),
    airflow: new AirflowApi(airflowSettings(environment)),
    warehouse: () => connectWarehouse({ environment }),
    command: (...args) => box.command(...args),
    stop: async () => {
      lake.close();
      await box.remove();
    },
  };
}
