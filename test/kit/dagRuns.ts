import { setTimeout as sleep } from "node:timers/promises";
import type { AirflowApi } from "@boxoffice/platform/airflowApi";
import { newRunId } from "../../scripts/pipeline/runPipeline.ts";

/** Waits for a run of a DAG to end and answers how. */
export async function outcome(airflow: AirflowApi, dagId: string, runId: string): Promise<string> {
  while (true) {
    const state = (await airflow.run(dagId, runId))?.state;
    if (state === "success" || state === "failed") return state;
    await sleep(500);
  }
}

/** Lets schedules start boxoffice now, all at once, and answers the ids of the runs they started. */
export async function startNow(airflow: AirflowApi, ...schedules: string[]): Promise<string[]> {
  const runIds = async () => (await airflow.runs("boxoffice")).map((run) => run.dag_run_id);
  const known = await runIds();
  const started = async () => (await runIds()).filter((id) => !known.includes(id));
  try {
    for (const schedule of schedules) await airflow.pause(schedule, false);
    await Promise.all(schedules.map((schedule) => airflow.trigger({ run_id: newRunId() }, schedule)));
    while ((await started()).length < schedules.length) await sleep(500);
    return await started();
  } finally {
    for (const schedule of schedules) await airflow.pause(schedule, true);
  }
}
