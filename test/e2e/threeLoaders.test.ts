import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { datasetNames } from "@boxoffice/contracts/dataset";
import { hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { AirflowApi } from "@boxoffice/platform/airflowApi";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Admin } from "kafkajs";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { readFailure } from "../../scripts/pipeline/hopReports.ts";
import { newRunId } from "../../scripts/pipeline/runPipeline.ts";
import { setting, type Variables } from "../../scripts/settings.ts";
import { until } from "../../services/loader/test/engines.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { outcome } from "../kit/dagRuns.ts";
import { FaultyStore } from "../kit/faultyStore.ts";
import { groupMembers } from "../kit/groupMembers.ts";
import { ServiceProcess } from "../kit/serviceProcess.ts";
import { box, openBox, publishedRun } from "./sharedBox.ts";

/** A loader beside the box's own, in its groups, and what stands between it and the lake. */
interface Further {
  loader: ServiceProcess;
  store: FaultyStore;
}

const folder = mkdtempSync(join(tmpdir(), "loaders-"));
const further: Further[] = [];
let airflow: AirflowApi;
let lake: ObjectStore;
let admin: Admin;

async function startFurther(client: Variables): Promise<Further> {
  const store = await FaultyStore.before(setting(client, "S3_ENDPOINT"), 1);
  const loader = await ServiceProcess.launch("loader", {
    ...client,
    S3_ENDPOINT: store.endpoint,
    WORK_DIR: folder,
    MIGRATIONS_DIR: rootPath("warehouse", "migrations", "postgres"),
  });
  further.push({ loader, store });
  await loader.untilReady();
  return { loader, store };
}

const areSharedBy = async (loaders: number) => (await groupMembers(admin, "loader")) === loaders;

beforeAll(async () => {
  const opened = await openBox();
  ({ airflow, lake } = opened);
  admin = kafkaClient("e2e", setting(opened.client, "KAFKA_BROKERS").split(","), pino({ level: "silent" })).admin();
  await admin.connect();
});
afterAll(async () => {
  for (const { loader, store } of further) {
    loader.signal("SIGCONT");
    await loader.end();
    await store.close();
  }
  await admin.disconnect();
  lake.close();
  rmSync(folder, { recursive: true });
});

it("a run on three loaders, of which one is killed and one stopped past its session as they write, has the certified answers", async () => {
  const client = await box.client();
  const [killed, stopped] = await Promise.all([startFurther(client), startFurther(client)]);
  await until("three loaders share the topics", () => areSharedBy(3));
  const before = await publishedRun();
  const runId = newRunId();
  const goOn = [killed, stopped].map(({ store }) => store.stallWrites());
  await airflow.trigger({ run_id: runId, full_refresh: true });
  await until(
    "both write slices that nobody has committed",
    () => further.every(({ store }) => store.stalledWrites > 0),
    120,
  );
  stopped.loader.signal("SIGSTOP");
  await killed.loader.end("SIGKILL");

  const bronze = (dataset: string) => lake.json(lakeKeys.hop(runId, `bronze.${dataset}`), hopReport);
  const areSealed = async () => !(await Promise.all(datasetNames.map(bronze))).includes(undefined);
  await until("the box's own loader has sealed all", areSealed, 120);
  expect(await areSharedBy(1)).toBe(true);
  // What the stopped one has sent comes now, and it finds the object of the one that took over.
  for (const go of goOn) go();
  stopped.loader.signal("SIGCONT");
  await until("the stopped one is back", () => areSharedBy(2));
  const isThere = /"created":false.*"(group in bronze|dead letters in the lake)"/;
  await until("it says that the object is there", () => isThere.test(stopped.loader.output));

  expect(await outcome(airflow, "boxoffice", runId)).toBe("success");
  // No task was tried again: that a loader is lost fails nothing.
  expect(await readFailure(lake, runId)).toBeUndefined();
  expect(await publishedRun()).not.toBe(before);
  expect(withoutRunId(await box.command("answers", "--json"))).toBe(certifiedAnswers());
});
