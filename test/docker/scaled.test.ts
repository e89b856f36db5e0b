import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { airflowSettings } from "../../scripts/airflowSettings.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { outcome, startNow } from "../kit/dagRuns.ts";
import { box, docker, linesOf } from "./composeBox.ts";

/** Runs of the schedules are late after six seconds. */
const scaled = { COMPOSE_PROFILES: "local,celery", LATE_RUN_MINUTES: "0.1" };

const applications = z.array(z.object({ id: z.string() }));
const executors = z.array(z.object({ id: z.string(), hostPort: z.string(), completedTasks: z.number() }));

const sparkApi = async (path: string) => (await fetch(`${box.url("SPARK_CONNECT_UI_PORT")}/api/v1${path}`)).json();

/** The executors that the Connect server has now, by the machine they are on. */
async function executorsAtWork(): Promise<{ host: string; tasks: number }[]> {
  const [application] = applications.parse(await sparkApi("/applications"));
  const all = executors.parse(await sparkApi(`/applications/${application?.id}/executors`));
  return all
    .filter(({ id }) => id !== "driver")
    .map(({ hostPort, completedTasks }) => ({ host: hostPort.split(":")[0] ?? "", tasks: completedTasks }));
}

beforeAll(async () => {
  const scale = ["--scale", "airflow-worker=2", "--scale", "spark-worker=2"];
  const { code, stderr } = await box.compose(["up", "--detach", "--wait", ...scale], scaled);
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("airflow-worker-2  Healthy") });
});
afterAll(async () => {
  await box.compose(["rm", "--stop", "--force", "airflow-worker", "redis"], scaled);
  await box.composed("up", "--detach", "--wait", "--scale", "spark-worker=1");
});

describe("a run of a schedule on two Celery workers and two Spark workers, of which one Celery worker is killed", () => {
  let before: { host: string; tasks: number }[] = [];
  let runId = "";

  it("ends with the certified answers", async () => {
    await expect.poll(async () => (await executorsAtWork()).length, { timeout: 60_000, interval: 1_000 }).toBe(2);
    before = await executorsAtWork();
    const airflow = new AirflowApi(airflowSettings(await box.client()));
    [runId = ""] = await startNow(airflow, "boxoffice_daily");
    const silver = async () => (await airflow.tasks(runId, "running")).find(({ name }) => name === "transform.silver");
    await expect.poll(silver, { timeout: 180_000, interval: 500 }).toMatchObject({ host: expect.any(String) });
    const host = (await silver())?.host ?? "";
    const workers = linesOf((await box.compose(["ps", "--quiet", "airflow-worker"], scaled)).stdout);
    expect(workers).toHaveLength(2);
    await docker("kill", "--signal", "KILL", workers.find((id) => id.startsWith(host)) ?? `no worker is ${host}`);

    expect(await outcome(airflow, "boxoffice", runId)).toBe("success");
    const printed = await box.command("answers", "--json");
    expect(JSON.parse(printed).run_id).toBe(runId);
    expect(withoutRunId(printed)).toBe(certifiedAnswers());
  });

  it("used executors of both Spark workers", async () => {
    const after = await executorsAtWork();
    expect(new Set(after.map(({ host }) => host)).size).toBe(2);
    for (const { host, tasks } of after) {
      expect(tasks, host).toBeGreaterThan(before.find((executor) => executor.host === host)?.tasks ?? 0);
    }
  });

  it("was late, which a Celery worker said once", async () => {
    const { stdout } = await box.compose(["logs", "--no-log-prefix", "airflow-worker"], scaled);
    expect(stdout.match(/late_run \{.*\}/g)).toEqual([expect.stringContaining(`"run_id": "${runId}"`)]);
  });
});
