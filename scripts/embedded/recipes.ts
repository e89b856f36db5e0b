import type { ServiceDescription } from "../composeFile.ts";
import { airflowApiServer, airflowDagProcessor, airflowMigrate, airflowScheduler } from "./airflow.ts";
import { kafka } from "./kafka.ts";
import { objectStore } from "./objectStore.ts";
import { postgres } from "./postgres.ts";
import type { Recipe } from "./recipe.ts";
import { sparkConnect, sparkMaster, sparkWorker } from "./spark.ts";
import { typescriptService } from "./typescriptService.ts";

/** How each service of docker-compose.yml runs without containers. */
export const recipes: Readonly<Record<string, Recipe>> = {
  warehouse: postgres,
  s3: objectStore,
  kafka,
  "spark-master": sparkMaster,
  "spark-worker": sparkWorker,
  "spark-connect": sparkConnect,
  ingest: typescriptService("ingest", "INGEST_PORT"),
  // It migrates the warehouse first; one with hundreds of millions of ratings takes minutes.
  loader: { ...typescriptService("loader", "LOADER_PORT"), patienceSeconds: 1_800 },
  answers: typescriptService("answers", "ANSWERS_PORT"),
  "airflow-migrate": airflowMigrate,
  "airflow-api-server": airflowApiServer,
  "airflow-scheduler": airflowScheduler,
  "airflow-dag-processor": airflowDagProcessor,
};

/** Services that another one's process serves too. */
export const servedBy: Readonly<Record<string, string>> = { "airflow-db": "warehouse" };

/** What ./box does itself: the look at the machine beforehand, and the first run once all are up. */
const doneByBox = new Set(["preflight", "hello"]);

/** What a service waits for when it runs without containers. */
export const prerequisites = ({ dependsOn }: ServiceDescription) => dependsOn.filter((name) => !doneByBox.has(name));
