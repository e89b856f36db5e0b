import { z } from "zod";
import { ServiceError } from "./serviceError.ts";

const timeoutMilliseconds = 30_000;
const token = z.object({ access_token: z.string() });
const dagRun = z.object({ dag_run_id: z.string(), state: z.string() });
const dagRuns = z.object({ dag_runs: z.array(dagRun) });
const taskInstances = z.object({
  task_instances: z.array(
    z.object({
      dag_id: z.string(),
      task_id: z.string(),
      hostname: z.string().nullable(),
      try_number: z.number().int(),
    }),
  ),
});
const taskLog = z.object({ content: z.array(z.union([z.string(), z.object({ event: z.string() })])) });
export type DagRun = z.infer<typeof dagRun>;

export interface Task {
  /** `dag.task` */
  name: string;
  dag: string;
  task: string;
  /** The machine that it runs on, or ran. */
  host: string | undefined;
  /** How often it was tried. */
  tries: number;
}

export interface AirflowSettings {
  url: string;
  username: string;
  password: string;
  /** Breaks off whatever is being asked. */
  signal?: AbortSignal;
}

export interface RunRequest {
  run_id: string;
  edition?: string;
  full_refresh?: boolean;
  allow_older?: boolean;
  /** A directory whose records are added to what is published. */
  append?: string;
  /** Ingests nothing: the run has the loads of the published one. */
  reuse_loads?: boolean;
}

interface Question {
  method: "GET" | "PATCH" | "POST";
  path: string;
  body?: unknown;
}

interface Answer {
  status: number;
  ok: boolean;
  text: string;
}

/** Airflow's REST API v2, as far as the box needs it. */
export class AirflowApi {
  readonly #settings: AirflowSettings;
  #token: string | undefined;

  constructor(settings: AirflowSettings) {
    this.#settings = settings;
  }

  /** Whether the scheduler knows a DAG. */
  async hasDag(dagId: string): Promise<boolean> {
    return (await this.#find(`/dags/${dagId}`)) !== undefined;
  }

  /** Lets a DAG run, or holds it. */
  async pause(dagId: string, isPaused: boolean): Promise<void> {
    const answer = await this.#ask({ method: "PATCH", path: `/dags/${dagId}`, body: { is_paused: isPaused } });
    if (!answer.ok) throw this.#refused(`to ${isPaused ? "hold" : "resume"} ${dagId}`, answer, answer.text);
  }

  /** Asks for a run of a DAG, the whole pipeline by default. Returns false when there is one of that id already. */
  async trigger(request: RunRequest, dagId = "boxoffice"): Promise<boolean> {
    const body = { dag_run_id: request.run_id, logical_date: null, conf: request };
    const answer = await this.#ask({ method: "POST", path: `/dags/${dagId}/dagRuns`, body });
    if (answer.status === 409) return false;
    if (!answer.ok) throw this.#refused(`a run of ${dagId}`, answer, answer.text);
    return true;
  }

  /** The run, or undefined when Airflow has none of that id. */
  async run(dagId: string, runId: string): Promise<DagRun | undefined> {
    const found = await this.#find(`/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}`);
    return found === undefined ? undefined : dagRun.parse(JSON.parse(found));
  }

  /** The newest runs of a DAG; none when Airflow does not know the DAG. */
  async runs(dagId: string): Promise<DagRun[]> {
    const found = await this.#find(`/dags/${dagId}/dagRuns?limit=100&order_by=-id`);
    return found === undefined ? [] : dagRuns.parse(JSON.parse(found)).dag_runs;
  }

  /** The tasks of a run that are in a state, in whichever DAG it is a run of. */
  async tasks(runId: string, state: "failed" | "running"): Promise<Task[]> {
    const body = { dag_run_ids: [runId], state: [state], page_limit: 100 };
    const answer = await this.#ask({ method: "POST", path: "/dags/~/dagRuns/~/taskInstances/list", body });
    if (!answer.ok) throw this.#refused(`the ${state} tasks of ${runId}`, answer, answer.text);
    const { task_instances } = taskInstances.parse(JSON.parse(answer.text));
    return task_instances.map(({ dag_id, task_id, hostname, try_number }) => ({
      name: `${dag_id}.${task_id}`,
      dag: dag_id,
      task: task_id,
      host: hostname || undefined,
      tries: try_number,
    }));
  }

  /** What the last try of a task logged, event by event; none when Airflow has no log of it. */
  async log(runId: string, { dag, task, tries }: Pick<Task, "dag" | "task" | "tries">): Promise<string[]> {
    const path = `/dags/${dag}/dagRuns/${encodeURIComponent(runId)}/taskInstances/${task}/logs/${tries}`;
    const found = await this.#find(path);
    const content = found === undefined ? [] : taskLog.parse(JSON.parse(found)).content;
    return content.map((line) => (typeof line === "string" ? line : line.event));
  }

  /** The answer's text, or undefined when there is no such thing; another answer is an error and says nothing of that. */
  async #find(path: string): Promise<string | undefined> {
    const answer = await this.#ask({ method: "GET", path });
    if (answer.status === 404) return undefined;
    if (!answer.ok) throw this.#refused(`GET ${path}`, answer, answer.text);
    return answer.text;
  }

  async #ask({ method, path, body }: Question): Promise<Answer> {
    const question: Question = { method, path: `/api/v2${path}`, body };
    this.#token ??= await this.#login();
    const answer = await this.#send(question, this.#token);
    // A token expires (401), and an Airflow that was given another secret does not know it (403).
    if (answer.status !== 401 && answer.status !== 403) return answer;
    this.#token = await this.#login();
    const again = await this.#send(question, this.#token);
    if (again.status === 401 || again.status === 403) throw this.#refused(`${method} ${path}`, again, again.text);
    return again;
  }

  async #login(): Promise<string> {
    const { username, password } = this.#settings;
    const answer = await this.#send({ method: "POST", path: "/auth/token", body: { username, password } });
    if (answer.ok) return token.parse(JSON.parse(answer.text)).access_token;
    // Not its text, which may repeat the password.
    throw this.#refused(`the login of ${username}`, answer, "check AIRFLOW_USERNAME and AIRFLOW_PASSWORD");
  }

  async #send({ method, path, body }: Question, bearer?: string): Promise<Answer> {
    const { url, signal } = this.#settings;
    const timeout = AbortSignal.timeout(timeoutMilliseconds);
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          "content-type": "application/json",
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      return { status: response.status, ok: response.ok, text: await response.text() };
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ServiceError(
        "airflow_unreachable",
        `Airflow at ${url} does not answer. Start the box with ./box up, or check AIRFLOW_URL`,
        { retryable: true, cause },
      );
    }
  }

  #refused(what: string, { status }: Answer, reason: string): ServiceError {
    const message = `Airflow at ${this.#settings.url} refused ${what} (HTTP ${status}): ${reason.slice(0, 500)}`;
    return new ServiceError("airflow_refused", message, { retryable: true });
  }
}
