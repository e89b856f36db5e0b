import { hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { airflowSettings } from "../../scripts/airflowSettings.ts";
import { readFailure, readHops } from "../../scripts/pipeline/hopReports.ts";
import { newRunId } from "../../scripts/pipeline/runPipeline.ts";
import { s3Settings } from "../../scripts/s3Settings.ts";
import { outcome, startNow } from "../kit/dagRuns.ts";
import { box, publishedRun } from "./sharedBox.ts";

let airflow: AirflowApi;
let lake: ObjectStore;

beforeAll(async () => {
  const client = await box.client();
  airflow = new AirflowApi(airflowSettings(client));
  lake = new ObjectStore(s3Settings(client));
});
afterAll(() => lake.close());

const hopNames = async (runId: string) => (await readHops(lake, runId)).map(({ name }) => name);

describe("runs", () => {
  it("that the two schedules start in one second both go the whole road", async () => {
    const ids = await startNow(airflow, "boxoffice_daily", "boxoffice_weekly");
    expect(ids.map((id) => id.split("-")[0]).sort()).toEqual(["daily", "weekly"]);
    for (const id of ids) {
      expect(await outcome(airflow, "boxoffice", id)).toBe("success");
      expect(await hopNames(id)).toContain("publish");
    }
    expect(ids).toContain(await publishedRun());
  });

  it("go DAG by DAG too, and the gate refuses one whose rows do not add up, by name and number", async () => {
    const before = await publishedRun();
    const runId = newRunId();
    for (const dag of ["ingest", "transform"]) {
      await airflow.trigger({ run_id: runId }, dag);
      expect(await outcome(airflow, dag, runId)).toBe("success");
    }

    const key = lakeKeys.hop(runId, "silver");
    const honest = await lake.json(key, hopReport);
    const forged = structuredClone(honest);
    if (!honest || !forged?.rows.movies) throw new Error("silver.json names no movies");
    forged.rows.movies.rows_out -= 1;
    await lake.put(key, JSON.stringify(forged));
    await airflow.trigger({ run_id: runId }, "publish");
    expect(await outcome(airflow, "publish", runId)).toBe("failed");
    const failure = await readFailure(lake, runId);
    expect(failure?.message).toContain("expected 45460, got 45459 (1 too few)");
    expect(await publishedRun()).toBe(before);
  });
});
