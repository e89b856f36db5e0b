import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { type Job, job } from "@boxoffice/contracts/job";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { loadManifest } from "@boxoffice/contracts/loadManifest";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { editionOf, uniqueLinks } from "./editions.ts";
import { type Engines, engine, startEngines } from "./engines.ts";
import { listen } from "./httpSource.ts";

const main = new URL("../src/main.ts", import.meta.url).pathname;
const started: ChildProcess[] = [];

let engines: Engines;
let edition = "";
beforeAll(async () => {
  engines = await startEngines();
  edition = await editionOf(engines.workDirectory, { "links.csv": uniqueLinks(), "ratings.csv": "" });
});
afterAll(async () => {
  for (const service of started) service.kill("SIGKILL");
  await engines?.close();
});

function start(environment: Record<string, string>): ChildProcess & { output: () => string } {
  const service = spawn(process.execPath, ["--import", "tsx", main], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(service);
  let output = "";
  service.stdout?.on("data", (chunk) => {
    output += chunk;
  });
  service.stderr?.on("data", (chunk) => {
    output += chunk;
  });
  return Object.assign(service, { output: () => output });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  return port;
}

async function startIngest() {
  const port = await freePort();
  const service = start({
    S3_ENDPOINT: engine("TEST_S3_ENDPOINT"),
    S3_ACCESS_KEY: engine("TEST_S3_ACCESS_KEY"),
    S3_SECRET_KEY: engine("TEST_S3_SECRET_KEY"),
    KAFKA_BROKERS: engine("TEST_KAFKA_BROKERS"),
    S3_REGION: "us-east-1",
    S3_BUCKET: engines.bucket,
    HTTP_PORT: String(port),
    EDITION: edition,
    WORK_DIR: engines.workDirectory,
  });
  const url = `http://127.0.0.1:${port}`;
  const call = async (path: string, body?: unknown) => {
    const response = await fetch(
      `${url}${path}`,
      body === undefined
        ? {}
        : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
    );
    return { status: response.status, body: await response.json() };
  };
  await vi.waitFor(async () => expect((await call("/readyz")).status).toBe(200), { timeout: 40_000, interval: 200 });
  return { service, call };
}

test("the service loads what it is asked for, again while it is not sealed, and drains on SIGTERM", async () => {
  const { service, call } = await startIngest();
  const ended = async (id: string): Promise<Job> =>
    vi.waitUntil(
      async () => {
        const found = job.parse((await call(`/loads/${id}`)).body);
        return found.state === "running" ? undefined : found;
      },
      { timeout: 30_000, interval: 50 },
    );

  const run_id = randomUUID();
  const posted = await call("/loads", { run_id, dataset: "links" });
  expect(posted.status).toBe(202);
  expect(job.parse(posted.body)).toMatchObject({ id: `${run_id}.links`, state: "running" });
  const done = await ended(`${run_id}.links`);
  expect(done).toMatchObject({ state: "done", result: { rows: 3, already: false } });
  const again = await call("/loads", { run_id, dataset: "links" });
  expect(job.parse(again.body)).toMatchObject({ id: done.id, state: "running" });
  expect((await ended(done.id)).result).toEqual(done.result);
  const manifest = lakeKeys.manifest("links", String(done.result?.load_id));
  expect(await engines.store.json(manifest, loadManifest)).toMatchObject({ rows: 3 });

  await call("/loads", { run_id, dataset: "ratings" });
  expect(await ended(`${run_id}.ratings`)).toMatchObject({
    state: "failed",
    error: { code: "empty_source", retryable: false },
  });

  expect((await call("/loads/none.links")).status).toBe(404);
  const refused = await call("/loads", { run_id: "no spaces", dataset: "films", more: true });
  expect(refused).toMatchObject({ status: 400, body: { error: { code: "bad_request", retryable: false } } });
  expect(JSON.stringify(refused.body)).toContain("a run id has 1 to 100 characters");

  const stopping = performance.now();
  service.kill("SIGTERM");
  const [code] = await once(service, "exit");
  expect(code).toBe(0);
  expect(performance.now() - stopping).toBeLessThan(10_000);
  expect(service.output()).not.toContain(engine("TEST_S3_SECRET_KEY"));
});

test("a load under way is stopped by SIGTERM, leaves no manifest, and the next service does it", async () => {
  const large = await editionOf(engines.workDirectory, { "links.csv": uniqueLinks(150_000) });
  const request = { run_id: randomUUID(), dataset: "links", edition: large };
  const first = await startIngest();
  await first.call("/loads", request);
  await vi.waitUntil(
    async () => {
      const { progress } = job.parse((await first.call(`/loads/${request.run_id}.links`)).body);
      return progress.unit === "bytes checked";
    },
    { timeout: 30_000, interval: 20 },
  );
  first.service.kill("SIGTERM");
  const [code] = await once(first.service, "exit");
  expect(code).toBe(0);

  const second = await startIngest();
  await second.call("/loads", request);
  const isDone = async () => job.parse((await second.call(`/loads/${request.run_id}.links`)).body).state === "done";
  await vi.waitUntil(isDone, { timeout: 60_000, interval: 200 });
  second.service.kill("SIGTERM");
  await once(second.service, "exit");
}, 180_000);

test("a service whose settings are missing says which, and exits 1", async () => {
  const service = start({});
  const [code] = await once(service, "exit");
  expect(code).toBe(1);
  for (const name of ["S3_BUCKET", "KAFKA_BROKERS", "HTTP_PORT", "EDITION", "WORK_DIR"]) {
    expect(service.output()).toContain(name);
  }
});
