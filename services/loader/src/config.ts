import {
  httpEnvironment,
  kafkaEnvironment,
  readEnvironment,
  s3Environment,
  warehouseEnvironment,
} from "@boxoffice/platform/environment";
import { z } from "zod";

const seconds = z.coerce.number().int().positive();

const loaderEnvironment = z.object({
  ...s3Environment.shape,
  ...kafkaEnvironment.shape,
  ...httpEnvironment.shape,
  ...warehouseEnvironment.shape,
  MIGRATIONS_DIR: z.string().min(1),
  /** Published versions that stay in the warehouse, the current one among them. */
  KEEP_VERSIONS: z.coerce.number().int().min(1).default(3),
  CONSUMER_GROUP: z.string().min(1).default("loader"),
  /** How long a seal waits while no slice of its load arrives. */
  SEAL_IDLE_SECONDS: seconds.default(120),
  /** How long an open group may lack slices before a newer load on its partition drops it. */
  ABANDONED_GROUP_SECONDS: seconds.default(600),
  /** How long a live rating may wait for its bronze object, beside those of the same time. */
  LIVE_OBJECT_SECONDS: seconds.default(60),
  /** `earliest` accepts that records are gone and reads on from the first there is. */
  OFFSET_OUT_OF_RANGE: z.enum(["stop", "earliest"]).default("stop"),
});

/** The loader's settings: a frozen object. */
export function loaderConfig(environment?: NodeJS.ProcessEnv) {
  return readEnvironment(loaderEnvironment, environment);
}
