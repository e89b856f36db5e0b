import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { afterAll, beforeAll, expect, it } from "vitest";
import { airflowSettings } from "../../scripts/airflowSettings.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { outcome, startNow } from "../kit/dagRuns.ts";
import { box, docker, linesOf } from "./composeBox.ts";

/** Runs of the schedules are late after six seconds. */
const celery = { COMPOSE_PROFILES: "local,celery", LATE_RUN_MINUTES: "0.1" };
let airflow: AirflowApi;

beforeAll(async () => {
  const { code, stderr } = await box.compose(["up", "--detach", "--wait", "--scale", "airflow-worker=2"], celery);
  expect(stderr).toContain("airflow-worker-2  Healthy");
  expect(code).toBe(0);
  airflow = new AirflowApi(airflowSettings(await box.client()));
});
afterAll(async () => {
  await box.compose(["rm", "--stop", "--force", "airflow-worker", "redis"], celery);
  await box.composed("up", "--detach", "--wait");
});

it("a worker that is killed in a task keeps neither the run from its end nor its alert from the log", async () => {
  const [runId = ""] = await startNow(airflow, "boxoffice_daily");
  const silver = async () => (await airflow.tasks(runId, "running")).find(({ name }) => name === "transform.silver");
  await expect.poll(silver, { timeout: 180_000, interval: 500 }).toMatchObject({ host: expect.any(String) });

  const host = (await silver())?.host ?? "";
  const workers = linesOf((await box.compose(["ps", "--quiet", "airflow-worker"], celery)).stdout);
  const victim = workers.find((id) => id.startsWith(host));
  expect(workers).toHaveLength(2);
  await docker("kill", "--signal", "KILL", victim ?? `no worker is ${host}`);

  expect(await outcome(airflow, "boxoffice", runId)).toBe("success");
  const printed = await box.command("answers", "--json");
  expect(JSON.parse(printed).run_id).toBe(runId);
  expect(withoutRunId(printed)).toBe(certifiedAnswers());
  const { stdout } = await box.compose(["logs", "--no-log-prefix", "airflow-worker"], celery);
  expect(stdout.match(/late_run \{.*\}/g)).toEqual([expect.stringContaining(`"run_id": "${runId}"`)]);
});
