import { z } from "zod";
import { BoxError, exitCode } from "../boxError.ts";
import { setting, type Variables } from "../settings.ts";

const component = z.object({ status: z.string().nullable() });
const health = z.object({ scheduler: component, dag_processor: component });
const token = z.object({ access_token: z.string() });
const dagRun = z.object({ dag_run_id: z.string(), state: z.string() });
const dagRuns = z.object({ dag_runs: z.array(dagRun) });
const taskInstances = z.object({
  task_instances: z.array(z.object({ dag_id: z.string(), task_id: z.string(), state: z.string().nullable() })),
});
export type DagRun = z.infer<typeof dagRun>;

/** States of Airflow's parts, or undefined while the API server does not answer. */
export async function airflowHealth(environment: Variables) {
  const url = `${setting(environment, "AIRFLOW_URL")}/api/v2/monitor/health`;
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) return undefined;
  const { scheduler, dag_processor } = health.parse(await response.json());
  return { scheduler: scheduler.status, dagProcessor: dag_processor.status };
}

/** Whether the API that tasks report to answers; its first answer takes seconds, which the first task need not wait for. */
export async function executionApiAnswers(environment: Variables): Promise<boolean> {
  const url = `${setting(environment, "AIRFLOW_URL")}/execution/health`;
  return (await fetch(url, { signal: AbortSignal.timeout(20_000) })).ok;
}

export interface RunRequest {
  run_id: string;
  edition?: string;
  full_refresh?: boolean;
  allow_older?: boolean;
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init).catch((cause) => {
    throw new BoxError("Airflow does not answer. Start the box with ./box up", exitCode.failed, cause);
  });
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
    const response = await ask(`${this.#url}/auth/token`, {
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
    const response = await ask(`${this.#url}/api/v2${path}`, {
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

  /** Lets a DAG run, or holds it. */
  async pause(dagId: string, isPaused: boolean): Promise<void> {
    const response = await this.#request("PATCH", `/dags/${dagId}`, { is_paused: isPaused });
    if (!response.ok) throw new BoxError(`Airflow did not pause or resume ${dagId} (HTTP ${response.status})`);
  }

  /** Asks for a run of a DAG, the whole pipeline by default. */
  async trigger(request: RunRequest, dagId = "boxoffice"): Promise<void> {
    const response = await this.#request("POST", `/dags/${dagId}/dagRuns`, {
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

  /** The newest runs of a DAG. */
  async runs(dagId: string): Promise<DagRun[]> {
    const response = await this.#request("GET", `/dags/${dagId}/dagRuns?limit=100&order_by=-id`);
    return response.ok ? dagRuns.parse(await response.json()).dag_runs : [];
  }

  /** The tasks of a run that failed, in all DAGs that share its id: `dag.task`. */
  async failedTasks(runId: string): Promise<string[]> {
    const request = { dag_run_ids: [runId], state: ["failed"], page_limit: 100 };
    const response = await this.#request("POST", "/dags/~/dagRuns/~/taskInstances/list", request);
    if (!response.ok) return [];
    const { task_instances } = taskInstances.parse(await response.json());
    return task_instances.map(({ dag_id, task_id }) => `${dag_id}.${task_id}`);
  }
}
