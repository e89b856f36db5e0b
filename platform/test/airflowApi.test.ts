import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { afterEach, expect, test } from "vitest";
import { airflowServer } from "./airflowServer.ts";

let server: Awaited<ReturnType<typeof airflowServer>>;
afterEach(() => server.close());

const dag = "GET /api/v2/dags/boxoffice";
const trigger = "POST /api/v2/dags/boxoffice/dagRuns";

test("a token that Airflow takes no more is replaced by one more login", async () => {
  let current = "token 1";
  server = await airflowServer({ [dag]: (token) => ({ status: token === current ? 200 : 401 }) });
  const airflow = new AirflowApi(server.settings);
  expect(await airflow.hasDag("boxoffice")).toBe(true);
  current = "token 2";
  expect(await airflow.hasDag("boxoffice")).toBe(true);
  expect(await airflow.hasDag("boxoffice")).toBe(true);
  expect(server.logins()).toBe(2);
});

test.each([401, 403])("an Airflow that goes on answering %i is not asked for ever", async (status) => {
  server = await airflowServer({ [dag]: () => ({ status, body: { detail: "no" } }) });
  await expect(new AirflowApi(server.settings).hasDag("boxoffice")).rejects.toMatchObject({
    code: "airflow_refused",
    message: expect.stringContaining(`(HTTP ${status}): {"detail":"no"}`),
  });
  expect(server.logins()).toBe(2);
});

test("a run that is there already is no error, another refusal is, and it may be tried again", async () => {
  let status = 409;
  server = await airflowServer({ [trigger]: () => ({ status, body: { detail: "why" } }) });
  const airflow = new AirflowApi(server.settings);
  expect(await airflow.trigger({ run_id: "one" })).toBe(false);
  status = 404;
  await expect(airflow.trigger({ run_id: "one" })).rejects.toMatchObject({
    code: "airflow_refused",
    retryable: true,
    message: `Airflow at ${server.settings.url} refused a run of boxoffice (HTTP 404): {"detail":"why"}`,
  });
});

test("what Airflow does not have is undefined or none, and no error", async () => {
  const absent = () => ({ status: 404, body: { detail: "not found" } });
  server = await airflowServer({
    [dag]: absent,
    "GET /api/v2/dags/boxoffice/dagRuns/one": absent,
    "GET /api/v2/dags/boxoffice/dagRuns?limit=100&order_by=-id": absent,
  });
  const airflow = new AirflowApi(server.settings);
  expect(await airflow.hasDag("boxoffice")).toBe(false);
  expect(await airflow.run("boxoffice", "one")).toBeUndefined();
  expect(await airflow.runs("boxoffice")).toEqual([]);
});

test("an Airflow that is in trouble is not taken for one that has nothing", async () => {
  const trouble = () => ({ status: 500, body: { detail: "no database" } });
  server = await airflowServer({
    [dag]: trouble,
    "GET /api/v2/dags/boxoffice/dagRuns/one": trouble,
    "GET /api/v2/dags/boxoffice/dagRuns?limit=100&order_by=-id": trouble,
    "POST /api/v2/dags/~/dagRuns/~/taskInstances/list": trouble,
  });
  const airflow = new AirflowApi(server.settings);
  const questions = [
    () => airflow.hasDag("boxoffice"),
    () => airflow.run("boxoffice", "one"),
    () => airflow.runs("boxoffice"),
    () => airflow.tasks("one", "failed"),
  ];
  for (const question of questions) {
    const asked = question();
    await expect(asked).rejects.toMatchObject({ code: "airflow_refused", retryable: true });
    await expect(asked).rejects.toThrow('(HTTP 500): {"detail":"no database"}');
  }
});

test("a login that is refused names the settings, and not the password that Airflow may repeat", async () => {
  server = await airflowServer({ "POST /auth/token": () => ({ status: 422, body: { input: "secret" } }) });
  const asked = new AirflowApi(server.settings).runs("boxoffice");
  await expect(asked).rejects.toThrow("refused the login of admin (HTTP 422): check AIRFLOW_USERNAME");
  await expect(asked).rejects.not.toThrow("secret");
});

test("an Airflow that does not answer is named with the remedy", async () => {
  server = await airflowServer({});
  await server.close();
  await expect(new AirflowApi(server.settings).runs("boxoffice")).rejects.toMatchObject({
    code: "airflow_unreachable",
    retryable: true,
    message: expect.stringContaining("does not answer. Start the box with ./box up"),
  });
});

test("whoever aborts gets the reason at once, however long Airflow takes", async () => {
  server = await airflowServer({});
  const stop = new AbortController();
  const asked = new AirflowApi({ ...server.settings, signal: stop.signal }).hasDag("boxoffice");
  await expect.poll(() => server.asked).toContain(dag);
  const reason = new Error("enough");
  stop.abort(reason);
  await expect(asked).rejects.toBe(reason);
});
