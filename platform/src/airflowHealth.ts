import { z } from "zod";

const component = z.object({ status: z.string().nullable() });
const health = z.object({ scheduler: component, dag_processor: component });

/** States of Airflow's parts, or undefined while the API server does not answer. */
export async function airflowHealth(url: string, signal: AbortSignal) {
  const response = await fetch(`${url}/api/v2/monitor/health`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
  });
  if (!response.ok) return undefined;
  const { scheduler, dag_processor } = health.parse(await response.json());
  return { scheduler: scheduler.status, dagProcessor: dag_processor.status };
}

/** Whether the API that tasks report to answers; its first answer takes seconds, which the first task need not wait for. */
export async function executionApiAnswers(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(`${url}/execution/health`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(20_000)]),
  });
  return response.ok;
}
