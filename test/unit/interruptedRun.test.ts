import { afterEach, expect, test } from "vitest";
import { type Answer, airflowServer } from "../../platform/test/airflowServer.ts";
import { BoxError, exitCode } from "../../scripts/boxError.ts";
import { runPipeline } from "../../scripts/pipeline/runPipeline.ts";

let server: Awaited<ReturnType<typeof airflowServer>>;
afterEach(() => server.close());

const dag = "GET /api/v2/dags/boxoffice";
const trigger = "POST /api/v2/dags/boxoffice/dagRuns";
const ok = () => ({ status: 200 });
const reason = new BoxError("interrupted", exitCode.interrupted);

/** Interrupts a run when Airflow has been asked this, and answers what the user is told. */
async function interruptedAt(question: string, answers: Record<string, () => Answer>): Promise<unknown> {
  server = await airflowServer(answers);
  const environment = {
    AIRFLOW_URL: server.settings.url,
    AIRFLOW_USERNAME: "admin",
    AIRFLOW_PASSWORD: "secret",
    S3_ENDPOINT: server.settings.url,
    S3_REGION: "us-east-1",
    S3_ACCESS_KEY: "key",
    S3_SECRET_KEY: "secret",
    S3_BUCKET: "lake",
  };
  const stop = new AbortController();
  const run = runPipeline({ environment }, {}, stop.signal);
  const told = run.catch((error: unknown) => error);
  await expect.poll(() => server.asked.some((asked) => asked.startsWith(question))).toBe(true);
  stop.abort(reason);
  return told;
}

test("an interruption while Airflow reads the DAGs begins no run", async () => {
  expect(await interruptedAt(dag, { [dag]: () => ({ status: 404 }) })).toBe(reason);
  expect(await interruptedAt(dag, {})).toBe(reason);
});

test("an interruption while the run is asked for says that it may have begun", async () => {
  expect(await interruptedAt(trigger, { [dag]: ok })).toMatchObject({
    message: expect.stringMatching(/^interrupted; run \S+ may have begun in Airflow/),
    exitCode: exitCode.interrupted,
  });
});

test("an interruption while Airflow keeps its state to itself says that the run goes on", async () => {
  expect(await interruptedAt(`GET /api/v2/dags/boxoffice/dagRuns/`, { [dag]: ok, [trigger]: ok })).toMatchObject({
    message: expect.stringMatching(/^interrupted; run \S+ goes on in Airflow/),
    exitCode: exitCode.interrupted,
  });
});
