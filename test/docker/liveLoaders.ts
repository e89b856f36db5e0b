import { liveTopic } from "@boxoffice/contracts/liveRating";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import type { Admin, Kafka } from "kafkajs";
import { pino } from "pino";
import { setting, type Variables } from "../../scripts/settings.ts";
import { topicEnds } from "../../services/loader/src/consumerOffsets.ts";
import { groupMembers } from "../kit/groupMembers.ts";
import { box, docker } from "./composeBox.ts";

/** The loaders of the box, of which the first is a service of compose, and the live topic whose partitions they share. */
export class LiveLoaders {
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  readonly #further: string[] = [];

  private constructor(kafka: Kafka) {
    this.#kafka = kafka;
    this.#admin = kafka.admin();
  }

  static async open(environment: Variables): Promise<LiveLoaders> {
    const brokers = setting(environment, "KAFKA_BROKERS").split(",");
    const loaders = new LiveLoaders(kafkaClient("test-loaders", brokers, pino({ level: "silent" })));
    await loaders.#admin.connect();
    return loaders;
  }

  /** Starts one more, in the way that docs/scaling.md names, and answers its container. */
  async startFurther(): Promise<string> {
    const container = (await box.composed("run", "--detach", "--no-deps", "loader")).trim();
    this.#further.push(container);
    return container;
  }

  /** How many share the topic; 0 while its partitions are dealt out anew. */
  sharing(): Promise<number> {
    return groupMembers(this.#admin, "loader-live");
  }

  /** By partition, the offset that the next rating will have. */
  ends(): Promise<number[]> {
    return topicEnds(this.#kafka, liveTopic);
  }

  /** Removes those that were started here. */
  async close(): Promise<void> {
    await this.#admin.disconnect();
    if (this.#further.length > 0) await docker("rm", "--force", ...this.#further);
  }
}
