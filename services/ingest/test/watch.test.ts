import { randomUUID } from "node:crypto";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { directorySource } from "../src/sources/directory.ts";
import { Watch } from "../src/watch.ts";
import { excerptText, uniqueLinks } from "./editions.ts";
import { type Engines, quiet, startEngines } from "./engines.ts";
import { listen } from "./httpSource.ts";

let engines: Engines;
beforeAll(async () => {
  engines = await startEngines();
});
afterAll(() => engines?.close());

const { signal } = new AbortController();

/** A server that answers as Airflow's API does; it has no runs but those it was asked for. */
async function airflow() {
  const runs = new Map<string, unknown>();
  const asked: string[] = [];
  let isDown = false;
  const server = createServer(async (request, response) => {
    const body: unknown = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const answer = (status: number, content: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(content));
    if (isDown) return answer(503, {});
    if (request.url === "/auth/token") {
      expect(body).toEqual({ username: "admin", password: "pass" });
      return answer(201, { access_token: "token" });
    }
    expect(request.url).toBe("/api/v2/dags/boxoffice/dagRuns");
    expect(request.headers.authorization).toBe("Bearer token");
    const { dag_run_id: id } = z.object({ dag_run_id: z.string() }).parse(body);
    asked.push(id);
    if (runs.has(id)) return answer(409, { detail: "exists" });
    runs.set(id, body);
    return answer(200, body);
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  const api = new AirflowApi({ url, username: "admin", password: "pass", signal });
  return {
    runs,
    asked,
    down: (value: boolean) => {
      isDown = value;
    },
    request: (run: { run_id: string; edition: string }) => api.trigger(run),
    close: () => server.close(),
  };
}

/** Writes a file of the edition as if that had been a minute ago, so that it counts as written to its end. */
async function put(edition: string, name: string, content: string, minutesAgo = 1): Promise<void> {
  await writeFile(join(edition, name), content);
  const time = new Date(Date.now() - minutesAgo * 60_000);
  await utimes(join(edition, name), time, time);
}

async function editionToWatch(): Promise<string> {
  const edition = join(engines.workDirectory, `watched-${randomUUID()}`);
  await mkdir(edition);
  for (const name of ["movies_metadata.csv", "ratings_small.csv", "CPIAUCSL.csv"]) {
    await put(edition, name, await excerptText(name));
  }
  await put(edition, "links.csv", uniqueLinks());
  return edition;
}

function watchOf(
  edition: string,
  request: ReturnType<typeof vi.fn<(run: { run_id: string; edition: string }) => Promise<boolean>>>,
) {
  const source = directorySource(edition);
  return new Watch({ store: engines.store, edition, sourceOf: () => source, requestRun: request, log: quiet });
}

test("a change brings exactly one run; first sight, no change, and a touched file bring none", async () => {
  const server = await airflow();
  const edition = await editionToWatch();
  const watch = watchOf(edition, vi.fn(server.request));
  await watch.look(signal);
  await watch.look(signal);
  expect(server.asked).toEqual([]);

  const changed = uniqueLinks();
  await put(edition, "links.csv", changed);
  await watch.look(signal);
  await watch.look(signal);
  expect(server.asked).toHaveLength(1);
  const [id] = server.asked;
  // Content that comes back landed before what is published, and is the newest all the same.
  const conf = { run_id: id, edition, allow_older: true };
  expect(server.runs.get(id ?? "")).toEqual({ dag_run_id: id, logical_date: null, conf });

  await put(edition, "links.csv", changed, 2);
  await watch.look(signal);
  expect(server.asked).toHaveLength(1);
  server.close();
});

test("what was seen is in the lake: another process goes on where the last one was", async () => {
  const server = await airflow();
  const edition = await editionToWatch();
  await watchOf(edition, vi.fn(server.request)).look(signal);
  await put(edition, "links.csv", uniqueLinks());
  await watchOf(edition, vi.fn(server.request)).look(signal);
  await watchOf(edition, vi.fn(server.request)).look(signal);
  expect(server.runs.size).toBe(1);
  server.close();
});

test("a look that ended before it could remember asks for the same run again, which is no second run", async () => {
  const server = await airflow();
  const edition = await editionToWatch();
  const killed = vi.fn(async (run: { run_id: string; edition: string }) => {
    await server.request(run);
    throw new Error("killed after it asked");
  });
  const watch = watchOf(edition, killed);
  await watch.look(signal);
  await put(edition, "links.csv", uniqueLinks());
  await watch.look(signal);
  await watchOf(edition, vi.fn(server.request)).look(signal);
  await watchOf(edition, vi.fn(server.request)).look(signal);
  expect(server.asked).toHaveLength(2);
  expect(server.runs.size).toBe(1);
  server.close();
});

test("while Airflow is down the change is not forgotten", async () => {
  const server = await airflow();
  const edition = await editionToWatch();
  const watch = watchOf(edition, vi.fn(server.request));
  await watch.look(signal);
  await put(edition, "links.csv", uniqueLinks());
  server.down(true);
  await watch.look(signal);
  expect(server.asked).toEqual([]);
  server.down(false);
  await watch.look(signal);
  expect(server.asked).toHaveLength(1);
  server.close();
});

test("content that comes back is a new change, with a run of its own", async () => {
  const server = await airflow();
  const edition = await editionToWatch();
  const watch = watchOf(edition, vi.fn(server.request));
  await watch.look(signal);
  const [one, other] = [uniqueLinks(), uniqueLinks()];
  for (const content of [one, other, one, other]) {
    await put(edition, "links.csv", content);
    await watch.look(signal);
  }
  expect(server.runs.size).toBe(4);
  server.close();
});

test("a file that is still being written is left for a later look", async () => {
  const server = await airflow();
  const edition = await editionToWatch();
  const watch = watchOf(edition, vi.fn(server.request));
  await watch.look(signal);
  const content = uniqueLinks();
  await put(edition, "links.csv", content, 0);
  await watch.look(signal);
  expect(server.asked).toEqual([]);
  await put(edition, "links.csv", content);
  await watch.look(signal);
  expect(server.asked).toHaveLength(1);
  server.close();
});

test("two looks at once are one", async () => {
  const server = await airflow();
  const edition = await editionToWatch();
  const request = vi.fn(server.request);
  const watch = watchOf(edition, request);
  await watch.look(signal);
  await put(edition, "links.csv", uniqueLinks());
  await Promise.all([watch.look(signal), watch.look(signal), watch.look(signal)]);
  expect(request).toHaveBeenCalledTimes(1);
  server.close();
});

test("an edition that lacks a file asks for no run", async () => {
  const server = await airflow();
  const edition = join(engines.workDirectory, `empty-${randomUUID()}`);
  await mkdir(edition);
  await watchOf(edition, vi.fn(server.request)).look(signal);
  expect(server.asked).toEqual([]);
  server.close();
});
