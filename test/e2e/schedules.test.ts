import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { AirflowApi } from "@boxoffice/platform/airflowApi";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { readHops } from "../../scripts/pipeline/hopReports.ts";
import { setting, type Variables } from "../../scripts/settings.ts";
import { outcome, startNow } from "../kit/dagRuns.ts";
import { alertWebhook, box, lateAfterMinutes, openBox, publishedRun } from "./sharedBox.ts";

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
const received: { path: string | undefined; body: string }[] = [];
const webhook = createServer(async (request: IncomingMessage, response: ServerResponse) => {
  received.push({ path: request.url, body: await text(request) });
  response.end();
});
let client: Variables;
let airflow: AirflowApi;
let lake: ObjectStore;

beforeAll(async () => {
  ({ client, airflow, lake } = await openBox());
  await new Promise<void>((resolve) => webhook.listen(alertWebhook.port, "127.0.0.1", resolve));
});
afterAll(async () => {
  await airflow.pause("boxoffice", false);
  lake.close();
  webhook.close();
});

const loggedAlerts = async () =>
  (await box.command("logs", "airflow-scheduler", "-n", "100000"))
    .split("\n")
    .flatMap((line) => /late_run (\{.*\}) \[/.exec(line)?.[1] ?? [])
    .map((document) => alert.parse(JSON.parse(document)));

describe("the schedules", () => {
  let late = "";

  it("start two runs in one second, which both go the whole road in time, one after the other, while a third one waits", async () => {
    const ids = await startNow(airflow, "boxoffice_daily", "boxoffice_weekly");
    expect(ids.map((id) => id.split("-")[0]).sort()).toEqual(["daily", "weekly"]);
    // DAG boxoffice has one run at a time.
    [late = ""] = await startNow(airflow, "boxoffice_daily");
    expect((await airflow.run("boxoffice", late))?.state).toBe("queued");
    for (const id of ids) {
      expect(await outcome(airflow, "boxoffice", id)).toBe("success");
      expect((await readHops(lake, id)).map(({ name }) => name)).toContain("publish");
    }
    expect(ids).toContain(await publishedRun());
    expect(received).toEqual([]);
  });

  it("alert once of a run that is not published in time, by webhook and in the log, and of no other", async () => {
    await airflow.pause("boxoffice", true);
    try {
      while (received.length === 0) {
        expect((await airflow.run("boxoffice", late))?.state, "it was published in time").not.toBe("success");
        await sleep(500);
      }
    } finally {
      await airflow.pause("boxoffice", false);
    }
    expect(await outcome(airflow, "boxoffice", late)).toBe("success");

    expect(received.map(({ path }) => path)).toEqual([`/${alertWebhook.token}`]);
    const sent = alert.parse(JSON.parse(received[0]?.body ?? ""));
    expect(sent).toMatchObject({
      dag: "boxoffice",
      run_id: late,
      state: expect.stringMatching(/queued|running/),
      url: `${setting(client, "AIRFLOW_URL")}/dags/boxoffice/runs/${late}`,
    });
    expect(Date.parse(sent.deadline) - Date.parse(sent.queued_at)).toBe(lateAfterMinutes * 60_000);
    expect(sent.text).toContain(`${late} is late`);

    expect(await loggedAlerts()).toEqual([sent]);
    const log = await box.command("logs", "airflow-scheduler", "-n", "100000");
    expect(log).toContain("late_run_webhook_sent");
    expect(log).not.toContain(alertWebhook.token);
  });
});
