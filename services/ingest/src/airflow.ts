import { ServiceError } from "@boxoffice/platform/serviceError";
import { z } from "zod";

export interface AirflowSettings {
  url: string;
  username: string;
  password: string;
}

const dag = "boxoffice";
const timeoutMilliseconds = 30_000;
const tokenAnswer = z.object({ access_token: z.string() });

/** Asks Airflow for a run of the pipeline. Returns false when there is one of that id already: it is not asked for twice. */
export async function requestRun(
  { url, username, password }: AirflowSettings,
  run: { run_id: string; edition: string },
  signal: AbortSignal,
): Promise<boolean> {
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]),
    });

  const login = await post("/auth/token", { username, password });
  if (!login.ok) throw refused(url, "a token", login);
  const { access_token } = tokenAnswer.parse(await login.json());
  const answer = await post(
    `/api/v2/dags/${dag}/dagRuns`,
    { dag_run_id: run.run_id, logical_date: null, conf: run },
    { authorization: `Bearer ${access_token}` },
  );
  await answer.body?.cancel();
  if (answer.status === 409) return false;
  if (!answer.ok) throw refused(url, `a run of ${dag}`, answer);
  return true;
}

function refused(url: string, what: string, { status, statusText }: Response): ServiceError {
  return new ServiceError(
    "airflow_refused",
    `Airflow at ${url} answered ${status} ${statusText} when asked for ${what}; ` +
      "check AIRFLOW_URL, AIRFLOW_USERNAME and AIRFLOW_PASSWORD, and that the DAG is there",
    { retryable: true },
  );
}
