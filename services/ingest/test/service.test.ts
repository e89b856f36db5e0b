import { randomUUID } from "node:crypto";
import { job } from "@boxoffice/contracts/job";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { loadManifest } from "@boxoffice/contracts/loadManifest";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ServiceProcess } from "../../../test/kit/serviceProcess.ts";
import { editionOf, uniqueLinks } from "./editions.ts";
import { type Engines, engine, startEngines } from "./engines.ts";

const started: ServiceProcess[] = [];

let engines: Engines;
let edition = "";
beforeAll(async () => {
  engines = await startEngines();
  edition = await editionOf(engines.workDirectory, { "links.csv": uniqueLinks(), "ratings.csv": "" });
});
afterAll(async () => {
  for (const service of started) await service.end("SIGKILL");
  await engines?.close();
});

async function startIngest(): Promise<ServiceProcess> {
  const service = await ServiceProcess.launch("ingest", {
    S3_ENDPOINT: engine("TEST_S3_ENDPOINT"),
    S3_ACCESS_KEY: engine("TEST_S3_ACCESS_KEY"),
    S3_SECRET_KEY: engine("TEST_S3_SECRET_KEY"),
    KAFKA_BROKERS: engine("TEST_KAFKA_BROKERS"),
    S3_REGION: "us-east-1",
    S3_BUCKET: engines.bucket,
    EDITION: edition,
    WORK_DIR: engines.workDirectory,
  });
  started.push(service);
  await service.untilReady();
  return service;
}

test("the service loads what it is asked for, again while it is not sealed, and drains on SIGTERM", async () => {
  const service = await startIngest();
  const run_id = randomUUID();
  const posted = await service.call("/loads", { run_id, dataset: "links" });
  expect(posted.status).toBe(202);
  expect(job.parse(posted.body)).toMatchObject({ id: `${run_id}.links`, state: "running" });
  const done = await service.ended("/loads", { run_id, dataset: "links" });
  expect(done).toMatchObject({ state: "done", result: { rows: 3, already: false } });
  const again = await service.job("/loads", { run_id, dataset: "links" });
  expect(again).toMatchObject({ id: done.id, state: "running" });
  expect((await service.ended("/loads", { run_id, dataset: "links" })).result).toEqual(done.result);
  const manifest = lakeKeys.manifest("links", String(done.result?.load_id));
  expect(await engines.store.json(manifest, loadManifest)).toMatchObject({ rows: 3 });

  expect(await service.ended("/loads", { run_id, dataset: "ratings" })).toMatchObject({
    state: "failed",
    error: { code: "empty_source", retryable: false },
  });

  expect((await service.call("/loads/none.links")).status).toBe(404);
  const refused = await service.call("/loads", { run_id: "no spaces", dataset: "films", more: true });
  expect(refused).toMatchObject({ status: 400, body: { error: { code: "bad_request", retryable: false } } });
  expect(JSON.stringify(refused.body)).toContain("a run id has 1 to 100 characters");

  const stopping = performance.now();
  expect(await service.end()).toBe(0);
  expect(performance.now() - stopping).toBeLessThan(10_000);
  expect(service.output).not.toContain(engine("TEST_S3_SECRET_KEY"));
});

test("a load under way is stopped by SIGTERM, leaves no manifest, and the next service does it", async () => {
  const large = await editionOf(engines.workDirectory, { "links.csv": uniqueLinks(150_000) });
  const request = { run_id: randomUUID(), dataset: "links", edition: large };
  const first = await startIngest();
  const { id } = await first.job("/loads", request);
  const isBegun = async () => !["rows", "bytes copied"].includes((await first.job(`/loads/${id}`)).progress.unit);
  await vi.waitUntil(isBegun, { timeout: 30_000, interval: 20 });
  expect(await first.end()).toBe(0);

  const second = await startIngest();
  expect(await second.ended("/loads", request)).toMatchObject({ state: "done" });
  await second.end();
}, 180_000);

test("a service whose settings are missing says which, and exits 1", async () => {
  const service = await ServiceProcess.launch("ingest", { HTTP_PORT: "" });
  expect(await service.exit()).toBe(1);
  for (const name of ["S3_BUCKET", "KAFKA_BROKERS", "HTTP_PORT", "EDITION", "WORK_DIR"]) {
    expect(service.output).toContain(name);
  }
});
