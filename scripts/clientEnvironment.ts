import type { Box } from "./openBox.ts";
import type { Variables } from "./settings.ts";

const names = [
  ...["S3_ENDPOINT", "S3_REGION", "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY", "KAFKA_BROKERS"],
  ...["WAREHOUSE_HOST", "WAREHOUSE_PORT", "WAREHOUSE_DB", "WAREHOUSE_USER", "WAREHOUSE_PASSWORD"],
  ...["SPARK_REMOTE", "INGEST_URL", "LOADER_URL", "AIRFLOW_URL", "AIRFLOW_USERNAME", "AIRFLOW_PASSWORD"],
];

/** What a program on this machine needs to use the box's engines. */
export function clientEnvironment({ environment }: Box): Variables {
  return Object.fromEntries(
    names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
}
