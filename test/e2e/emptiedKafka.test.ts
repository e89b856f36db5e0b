import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { AirflowApi } from "@boxoffice/platform/airflowApi";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newRunId } from "../../scripts/pipeline/runPipeline.ts";
import { until } from "../../services/loader/test/engines.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { outcome } from "../kit/dagRuns.ts";
import { bundledText, EditionCopy } from "../kit/edition.ts";
import { emptyKafka } from "../kit/emptyKafka.ts";
import { box, openBox, publishedRun } from "./sharedBox.ts";

const edition = new EditionCopy();
let airflow: AirflowApi;
let lake: ObjectStore;

beforeAll(async () => {
  ({ airflow, lake } = await openBox());
});
afterAll(async () => {
  await box.command("up", "--services", "kafka", "loader");
  edition.remove();
  lake.close();
});

/** The load that the run has landed of a dataset, if it has. */
const landed = async (runId: string, dataset: DatasetName) =>
  (await lake.json(lakeKeys.hop(runId, `ingest.${dataset}`), hopReport))?.load_id;
const ingestLog = () => readFileSync(join(box.home, "logs", "ingest.log"), "utf8").split("\n");

describe("a run whose Kafka is emptied when all has landed and nothing is sealed", () => {
  it("goes on by itself to the certified answers, though a source is gone and another has other bytes by then", async () => {
    // Nothing is read from Kafka, and so nothing sealed, until it is empty.
    await box.kill("loader");
    const runId = newRunId();
    await airflow.trigger({ run_id: runId, edition: edition.path, full_refresh: true });
    const loads = () => Promise.all(datasetNames.map((dataset) => landed(runId, dataset)));
    await until("all has landed", async () => !(await loads()).includes(undefined), 180);
    edition.without("ratings_small.csv");
    edition.with("links.csv", gzipSync(bundledText("links.csv").slice(0, 10_000)), "links.csv.gz");
    await emptyKafka(box);
    await box.command("up", "--services", "loader");

    expect(await outcome(airflow, "boxoffice", runId)).toBe("success");
    for (const load of await loads()) {
      const again = ingestLog().filter((line) => line.includes(`"${load}"`) && line.includes("published again"));
      expect(again, load).not.toHaveLength(0);
    }
    expect(await publishedRun()).toBe(runId);
    expect(withoutRunId(await box.command("answers", "--json"))).toBe(certifiedAnswers());
  });
});
