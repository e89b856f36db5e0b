import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { s3Settings } from "./s3Settings.ts";
import type { Variables } from "./settings.ts";

/** The lake of a box. S3's client takes as long to read as all that most commands need: only those read it that open the lake. */
export async function openLake(environment: Variables): Promise<ObjectStore> {
  const { ObjectStore } = await import("@boxoffice/platform/objectStore");
  return new ObjectStore(s3Settings(environment));
}
