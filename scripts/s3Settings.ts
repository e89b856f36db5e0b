import { readEnvironment, s3Environment } from "@boxoffice/platform/environment";
import type { S3Settings } from "@boxoffice/platform/objectStore";
import type { Variables } from "./settings.ts";

/** The lake's address and keys out of a service's environment. */
export function s3Settings(environment: Variables): S3Settings {
  return readEnvironment(s3Environment, environment);
}
