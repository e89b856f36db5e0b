import { z } from "zod";
import { BoxError } from "../boxError.ts";
import { setting, type Variables } from "../settings.ts";

const component = z.object({ status: z.string().nullable() });
const health = z.object({ scheduler: component, dag_processor: component });
const token = z.object({ access_token: z.string() });
const dagRun = z.object({ dag_run_id: z.string(), state: z.string() });
const taskInstances = z.object({
  task_instances: z.array(
    z.object({
      dag_id: z.string(),
      task_id: z.string(),
      map_index: z.number(),
      state: z.string().nullable(),
      start_date: z.string().nullable(),
      end_date: z.string().nullable(),
      try_number: z.number(),
    }),
  ),
});
export type TaskInstance = z.infer<typeof taskInstances>["task_instances"][number];
export type DagRun = z.infer<typeof dagRun>;

/** States of Airflow's parts, or undefined while the API server does not answer. */
export async function airflowHealth(environment: Variables) {
  const url = `${setting(environment, "AIRFLOW_URL")}/api/v2/monitor/health`;
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) return undefined;
  const { scheduler, dag_processor } = health.parse(await response.json());
  return { scheduler: scheduler.status, dagProcessor: dag_processor.status };
}

export interface RunRequest {
  run_id: string;
  edition?: string;
  full_refresh?: boolean;
  allow_older?: boolean;
}

/** Airflow's REST API v2, as far as the box needs it. */
export class AirflowApi {
  readonly #url: string;
  readonly #username: string;
  readonly #password: string;
  #token: string | undefined;

  constructor(environment: Variables) {
    this.#url = setting(environment, "AIRFLOW_URL");
    this.#username = setting(environment, "AIRFLOW_USERNAME");
    this.#password = setting(environment, "AIRFLOW_PASSWORD");
  }

  async #login(): Promise<string> {
    const response = await fetch(`${this.#url}/auth/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: this.#username, password: this.#password }),
      signal: AbortSignal.timeout(15_000),
    });
    if (!response.ok) throw new BoxError(`Airflow refused the login of its user admin (HTTP ${response.status})`);
    return token.parse(await response.json()).access_token;
  }

  async #request(method: string, path: string, body?: unknown): Promise<Response> {
    this.#token ??= await this.#login();
    const response = await fetch(`${this.#url}/api/v2${path}`, {
      method,
      headers: { "content-type": "application/json", authorization: `Bearer ${this.#token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    if (response.status !== 401) return response;
    this.#token = await this.#login();
    return this.#request(method, path, body);
  }

  /** Whether the scheduler knows a DAG. */
  async hasDag(dagId: string): Promise<boolean> {
    return (await this.#request("GET", `/dags/${dagId}`)).ok;
  }

  /** Asks for a run of the pipeline. */
  async trigger(request: RunRequest): Promise<void> {
    const response = await this.#request("POST", "/dags/boxoffice/dagRuns", {
      dag_run_id: request.run_id,
      logical_date: null,
      conf: request,
    });
    if (!response.ok)
      throw new BoxError(`Airflow did not accept the run (HTTP ${response.status}): ${await response.text()}`);
  }

  /** The run, or undefined when Airflow has none of that id. */
  async run(dagId: string, runId: string): Promise<DagRun | undefined> {
    const response = await this.#request("GET", `/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}`);
    return response.ok ? dagRun.parse(await response.json()) : undefined;
  }

  /** The task instances of a run of a DAG. */
  async tasks(dagId: string, runId: string): Promise<TaskInstance[]> {
    const response = await this.#request(
      "GET",
      `/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}/taskInstances?limit=100`,
    );
    return response.ok ? taskInstances.parse(await response.json()).task_instances : [];
  }
}
