import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { airflowSettings } from "../../scripts/airflowSettings.ts";
import { readHops } from "../../scripts/pipeline/hopReports.ts";
import { s3Settings } from "../../scripts/s3Settings.ts";
import { setting, type Variables } from "../../scripts/settings.ts";
import { outcome, startNow } from "../kit/dagRuns.ts";
import { box, publishedRun } from "./sharedBox.ts";

/** Longer than a run takes on engines that are warm, and no longer than a test may wait; in tenths, which are exact. */
let limitMinutes = 2.5;
const token = "token-that-nobody-may-read";

const alert = z.object({
  alert: z.literal("late_run"),
  id: z.uuid(),
  text: z.string(),
  dag: z.string(),
  run_id: z.string(),
  state: z.string(),
  queued_at: z.iso.datetime(),
  deadline: z.iso.datetime(),
  url: z.url(),
});
const status = z.object({
  services: z.array(z.object({ service: z.string(), state: z.string(), pid: z.number().nullable() })),
});

const received: { path: string | undefined; body: string }[] = [];
const webhook = createServer(async (request: IncomingMessage, response: ServerResponse) => {
  received.push({ path: request.url, body: await text(request) });
  response.end();
});
let client: Variables;
let airflow: AirflowApi;

/** The dag processor reads the limit, the scheduler's executor the webhook's address. */
const concerned = ["airflow-scheduler", "airflow-dag-processor"];

async function restartWith(settings: Variables): Promise<void> {
  const states = async () =>
    status
      .parse(JSON.parse(await box.command("status", "--json")))
      .services.filter(({ service }) => concerned.includes(service));
  for (const { pid } of await states()) if (pid !== null) process.kill(pid, "SIGTERM");
  while ((await states()).some(({ state }) => state !== "down")) await sleep(500);
  const begin = Date.now();
  const { code, stderr } = await box.attemptWith({ ...box.environment, ...settings }, "up", "--services", ...concerned);
  if (code !== 0) throw new Error(stderr);
  while (((await airflow.parsedAt("boxoffice")) ?? 0) < begin) await sleep(500);
}

/** How long the published run took from its first hop to its last. */
async function secondsOfRun(): Promise<number> {
  const lake = new ObjectStore(s3Settings(client));
  const hops = await readHops(lake, await publishedRun());
  lake.close();
  const ends = hops.map(({ startedAt, seconds }) => startedAt + seconds * 1000);
  return (Math.max(...ends) - Math.min(...hops.map(({ startedAt }) => startedAt))) / 1000;
}

beforeAll(async () => {
  client = await box.client();
  limitMinutes = Math.min(limitMinutes, Math.ceil((2 * (await secondsOfRun()) + 20) / 6) / 10);
  airflow = new AirflowApi(airflowSettings(client));
  await new Promise<void>((resolve) => webhook.listen(0, "127.0.0.1", resolve));
  const { port } = webhook.address() as AddressInfo;
  await restartWith({
    LATE_RUN_MINUTES: String(limitMinutes),
    ALERT_WEBHOOK_URL: `http://127.0.0.1:${port}/${token}`,
  });
});
afterAll(async () => {
  await airflow.pause("boxoffice", false);
  await restartWith({});
  webhook.close();
});

const loggedAlerts = async () =>
  (await box.command("logs", "airflow-scheduler", "-n", "100000"))
    .split("\n")
    .flatMap((line) => /late_run (\{.*\}) \[/.exec(line)?.[1] ?? [])
    .map((document) => alert.parse(JSON.parse(document)));

describe("a scheduled run", () => {
  it("that is not published in time alerts once, by webhook and in the log; one that is does not", async () => {
    const [inTime = ""] = await startNow(airflow, "boxoffice_weekly");
    expect(await outcome(airflow, "boxoffice", inTime)).toBe("success");

    // Held, the next one waits past its deadline, which is later than that of the run before.
    await airflow.pause("boxoffice", true);
    const [late = ""] = await startNow(airflow, "boxoffice_daily");
    while (received.length === 0) await sleep(500);
    await airflow.pause("boxoffice", false);
    expect(await outcome(airflow, "boxoffice", late)).toBe("success");

    expect(received.map(({ path }) => path)).toEqual([`/${token}`]);
    const sent = alert.parse(JSON.parse(received[0]?.body ?? ""));
    expect(sent).toMatchObject({
      dag: "boxoffice",
      run_id: late,
      state: "queued",
      url: `${setting(client, "AIRFLOW_URL")}/dags/boxoffice/runs/${late}`,
    });
    expect(Date.parse(sent.deadline) - Date.parse(sent.queued_at)).toBe(limitMinutes * 60_000);
    expect(sent.text).toContain(`${late} is late`);

    expect(await loggedAlerts()).toEqual([sent]);
    const log = await box.command("logs", "airflow-scheduler", "-n", "100000");
    expect(log).toContain("late_run_webhook_sent");
    expect(log).not.toContain(token);
  });
});
