import { isLocal, setting, type Variables } from "./settings.ts";

/** The addresses a person or a client may open. */
export function addressesOf(settings: Variables): { name: string; url: string }[] {
  const http = (variable: string) => `http://127.0.0.1:${setting(settings, variable)}`;
  return [
    { name: "Answers", url: http("ANSWERS_PORT") },
    { name: "Airflow", url: http("AIRFLOW_PORT") },
    { name: "Spark", url: http("SPARK_UI_PORT") },
    { name: "Ingest API", url: http("INGEST_PORT") },
    { name: "Loader API", url: http("LOADER_PORT") },
    ...(isLocal(settings) ? stores(settings) : []),
    { name: "Kafka", url: `127.0.0.1:${setting(settings, "KAFKA_PORT")}` },
  ];
}

function stores(settings: Variables) {
  const warehouse = `127.0.0.1:${setting(settings, "POSTGRES_PORT")}/warehouse`;
  return [
    { name: "S3", url: `http://127.0.0.1:${setting(settings, "S3_PORT")}` },
    { name: "Warehouse", url: `postgresql://boxoffice@${warehouse}` },
  ];
}
