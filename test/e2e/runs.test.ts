import { hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { AirflowApi } from "@boxoffice/platform/airflowApi";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { airflowSettings } from "../../scripts/airflowSettings.ts";
import { readFailure } from "../../scripts/pipeline/hopReports.ts";
import { newRunId } from "../../scripts/pipeline/runPipeline.ts";
import { outcome } from "../kit/dagRuns.ts";
import { box, openBox, publishedRun } from "./sharedBox.ts";

let airflow: AirflowApi;
let lake: ObjectStore;

beforeAll(async () => {
  ({ airflow, lake } = await openBox());
});
afterAll(() => lake.close());

/**
 * Triggers `publish` for a run once more, as Airflow's form does; answers the id of the DAG run. Airflow has one of the
 * run's own id already.
 */
async function publishAgain(runId: string): Promise<string> {
  const dag_run_id = `${runId}-again`;
  const { url, username, password } = airflowSettings(await box.client());
  const post = async (path: string, body: object, token?: string): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    if (response.ok) return response.json();
    throw new Error(`${path} was answered with ${response.status}: ${await response.text()}`);
  };
  const { access_token } = z
    .object({ access_token: z.string() })
    .parse(await post("/auth/token", { username, password }));
  const request = { dag_run_id, logical_date: null, conf: { run_id: runId } };
  await post("/api/v2/dags/publish/dagRuns", request, access_token);
  return dag_run_id;
}

describe("runs", () => {
  it("go DAG by DAG too; the gate refuses one whose rows do not add up, by name and number, until they do", async () => {
    const before = await publishedRun();
    const runId = newRunId();
    for (const dag of ["ingest", "transform"]) {
      await airflow.trigger({ run_id: runId }, dag);
      expect(await outcome(airflow, dag, runId)).toBe("success");
    }

    const key = lakeKeys.hop(runId, "silver");
    const honest = await lake.bytes(key);
    const forged = await lake.json(key, hopReport);
    if (!honest || !forged?.rows.movies) throw new Error("silver.json names no movies");
    forged.rows.movies.rows_out -= 1;
    await lake.put(key, JSON.stringify(forged));
    await airflow.trigger({ run_id: runId }, "publish");
    expect(await outcome(airflow, "publish", runId)).toBe("failed");
    const failure = await readFailure(lake, runId);
    expect(failure?.message).toContain("expected 45460, got 45459 (1 too few)");
    expect(await publishedRun()).toBe(before);

    // Its edition is the bundled one: the other files find the answers they expect.
    await lake.put(key, honest);
    const again = await publishAgain(runId);
    expect(await outcome(airflow, "publish", again)).toBe("success");
    expect(await publishedRun()).toBe(runId);
  });
});
