import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { afterAll, beforeAll, expect, it } from "vitest";
import { airflowSettings } from "../../scripts/airflowSettings.ts";
import { newRunId } from "../../scripts/pipeline/runPipeline.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { box, docker, linesOf } from "./composeBox.ts";

const celery = { COMPOSE_PROFILES: "local,celery" };
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

async function state(runId: string): Promise<string | undefined> {
  return (await airflow.run("boxoffice", runId))?.state;
}

it("a worker that is killed in a task does not keep the run from its end", async () => {
  const runId = newRunId();
  await airflow.trigger({ run_id: runId, full_refresh: true });
  const silver = async () => (await airflow.tasks(runId, "running")).find(({ name }) => name === "transform.silver");
  await expect.poll(silver, { timeout: 180_000, interval: 500 }).toMatchObject({ host: expect.any(String) });

  const host = (await silver())?.host ?? "";
  const workers = linesOf((await box.compose(["ps", "--quiet", "airflow-worker"], celery)).stdout);
  const victim = workers.find((id) => id.startsWith(host));
  expect(workers).toHaveLength(2);
  await docker("kill", "--signal", "KILL", victim ?? `no worker is ${host}`);

  await expect.poll(() => state(runId), { timeout: 480_000, interval: 2_000 }).toMatch(/success|failed/);
  expect(await state(runId)).toBe("success");
  const printed = await box.command("answers", "--json");
  expect(JSON.parse(printed).run_id).toBe(runId);
  expect(withoutRunId(printed)).toBe(certifiedAnswers());
});
