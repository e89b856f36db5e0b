import { answers } from "@boxoffice/contracts/answers";
import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import { airflowSettings } from "../../scripts/airflowSettings.ts";
import { s3Settings } from "../../scripts/s3Settings.ts";
import type { Variables } from "../../scripts/settings.ts";
import { TestBox } from "../kit/testBox.ts";

/** Longer than two runs take, and no longer than a test may wait. */
export const lateAfterMinutes = 3.5;
const webhookPort = 18_087 + 10_100;
const token = "token-that-nobody-may-read";
/** Where the box posts late runs of the schedules to. */
export const alertWebhook = { port: webhookPort, token, url: `http://127.0.0.1:${webhookPort}/${token}` };

/** The box that every file here uses. All leave the bundled edition published but those that vitest.config.ts has last. */
export const box = new TestBox({
  name: "e2e",
  portOffset: 10_100,
  runtime: "embedded",
  environment: { LATE_RUN_MINUTES: String(lateAfterMinutes), ALERT_WEBHOOK_URL: alertWebhook.url },
});

/** The id of the published run. */
export async function publishedRun(): Promise<string> {
  return answers.parse(JSON.parse(await box.command("answers", "--json"))).run_id;
}

/** The box's addresses and secrets, its Airflow and its lake. Who asks closes the lake. */
export async function openBox(): Promise<{ client: Variables; airflow: AirflowApi; lake: ObjectStore }> {
  const client = await box.client();
  return { client, airflow: new AirflowApi(airflowSettings(client)), lake: new ObjectStore(s3Settings(client)) };
}
