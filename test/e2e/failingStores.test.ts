import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { AirflowApi } from "@boxoffice/platform/airflowApi";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { newRunId } from "../../scripts/pipeline/runPipeline.ts";
import { Random32 } from "../../scripts/random32.ts";
import { setting } from "../../scripts/settings.ts";
import { until } from "../../services/loader/test/engines.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { outcome } from "../kit/dagRuns.ts";
import { FaultyStore, noFaults } from "../kit/faultyStore.ts";
import { mayMount, OwnDisk } from "../kit/ownDisk.ts";
import { TcpProxy } from "../kit/tcpProxy.ts";
import { breakingOff } from "./breakingOff.ts";
import { box, openBox, publishedRun } from "./sharedBox.ts";

const seed = Number(process.env.FAULT_SEED ?? 20261124);
const answersNow = async () => withoutRunId(await box.command("answers", "--json"));

describe("a run whose lake and warehouse fail under it", () => {
  /** Those that reach the lake or the warehouse. Spark's executors are told by spark-connect where the lake is. */
  const clients = ["ingest", "loader", "spark-connect", "airflow-scheduler"];
  /** What the lake's clients call themselves: ingest and the loader, Airflow's tasks, Spark. */
  const lakeClients = ["aws-sdk-js", "aws-sdk-cpp", "Hadoop"];
  const folder = mkdtempSync(join(tmpdir(), "stores-"));
  let store: FaultyStore;
  let warehouse: TcpProxy;

  async function restartClients(environment: NodeJS.ProcessEnv = {}): Promise<void> {
    await box.kill(...clients);
    const { code, stderr } = await box.attemptWith(environment, "up", "--services", ...clients);
    expect(code, stderr).toBe(0);
  }

  beforeAll(async () => {
    const client = await box.client();
    store = await FaultyStore.before(setting(client, "S3_ENDPOINT"), seed);
    warehouse = await TcpProxy.before(setting(client, "WAREHOUSE_HOST"), Number(setting(client, "WAREHOUSE_PORT")));
    const settings = join(folder, "stores.env");
    const addresses = [`S3_ENDPOINT=${store.endpoint}`, "WAREHOUSE_HOST=127.0.0.1", `WAREHOUSE_PORT=${warehouse.port}`];
    writeFileSync(settings, addresses.join("\n"));
    // As to stores that are not the box's own.
    await restartClients({ COMPOSE_PROFILES: "aws", BOX_SETTINGS_FILE: settings });
  });
  afterAll(async () => {
    await restartClients();
    await warehouse.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it(`ends with the certified answers: a lake that is slow and fails, a warehouse that is lost in COPY and while it publishes (FAULT_SEED=${seed})`, async () => {
    const before = await publishedRun();
    store.faults = { refused: 30, lost: 20, milliseconds: 20 };
    // A run copies some 17 MB, and sends nothing as large otherwise.
    const bytes = (1 << 20) + new Random32(seed).below(8 << 20);
    warehouse.cutOnce({ after: "bytes", bytes }, { after: "answer", text: "update marts.current" });
    const { code, stderr } = await box.attempt("run", "--full-refresh");
    store.faults = noFaults;
    const failed = Object.fromEntries(store.failedOf);
    console.log(`failed requests ${JSON.stringify(failed)}, cuts ${warehouse.cuts} (FAULT_SEED=${seed})`);
    expect(code, stderr).toBe(0);
    for (const client of lakeClients) expect(failed[client] ?? 0, client).toBeGreaterThan(0);
    expect(warehouse.cuts).toBe(2);
    for (const task of ["load_warehouse", "publish_version"]) {
      expect(stderr).toContain(`again publish.${task} failed, and Airflow tries it again`);
    }
    expect(await publishedRun()).not.toBe(before);
    expect(await answersNow()).toBe(certifiedAnswers());
  });
});

describe.runIf(mayMount)("a run whose stores have no room any more (not without root who may mount)", () => {
  const stores = ["s3", "kafka"];
  const diskOf = (name: "lake" | "kafka") => new OwnDisk(join(box.home, name));
  const disks = [diskOf("lake"), diskOf("kafka")] as const;
  const [lakeDisk, kafkaDisk] = disks;
  let airflow: AirflowApi;
  let lake: ObjectStore;

  beforeAll(async () => {
    ({ airflow, lake } = await openBox());
    await box.kill(...stores);
    for (const disk of disks) disk.mount(512);
    await box.command("up", "--services", ...stores);
  });
  afterEach(() => {
    for (const disk of disks) disk.free();
  });
  afterAll(async () => {
    await box.kill(...stores);
    for (const disk of disks) disk.unmount();
    await box.command("up", "--services", ...stores);
    lake.close();
  });

  it("the lake: publishes nothing, and comes to the certified answers by itself when there is room again", async () => {
    const before = await publishedRun();
    const runId = newRunId();
    await airflow.trigger({ run_id: runId });
    const silver = () => lake.json(lakeKeys.hop(runId, "silver"), hopReport);
    await until("silver is there", async () => (await silver()) !== undefined, 180);
    const refusal = new RegExp(`gold/${runId}/.*No space left on device`, "g");
    const refusals = () => readFileSync(join(box.home, "logs", "s3.log"), "utf8").match(refusal)?.length ?? 0;
    // Again and again, as what was begun when the disk became full is taken away.
    const isRefused = () => {
      lakeDisk.fillButFor(1);
      return refusals() >= 50;
    };
    await until("gold was refused again and again", isRefused, 120);
    expect(await publishedRun()).toBe(before);
    expect(await answersNow()).toBe(certifiedAnswers());
    lakeDisk.free();
    expect(await outcome(airflow, "boxoffice", runId)).toBe("success");
    expect(await publishedRun()).toBe(runId);
    expect(await answersNow()).toBe(certifiedAnswers());
  });

  it("Kafka: says where to look and what to do, and comes to the certified answers when that is done", async () => {
    const before = await publishedRun();
    const remedy = async () => {
      const hasEnded = !(await box.pids()).has("kafka");
      kafkaDisk.free();
      await box.command("up", "--services", "kafka");
      return hasEnded;
    };
    let hadEnded: Promise<boolean> | undefined;
    kafkaDisk.fillButFor(4);
    const { code, said } = await breakingOff(box, ["run", "--full-refresh"], "Kafka did not take the slices", () => {
      hadEnded = remedy();
    });
    expect({ code, hadEnded: await hadEnded }, said).toEqual({ code: 0, hadEnded: true });
    expect(said).toMatch(/tries it again: Kafka did not take the slices: .*logs kafka why.*a full disk.*\.\/box up/);
    expect(await box.command("logs", "kafka", "-n", "1000")).toContain("No space left on device");
    expect(await publishedRun()).not.toBe(before);
    expect(await answersNow()).toBe(certifiedAnswers());
  });
});
