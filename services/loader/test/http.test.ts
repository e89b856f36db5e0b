import { setTimeout as sleep } from "node:timers/promises";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { noLiveInput } from "@boxoffice/contracts/runInputs";
import { Jobs } from "@boxoffice/platform/jobs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { writeHop } from "@boxoffice/platform/writeHop";
import type { FastifyInstance } from "fastify";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bronze } from "../src/bronze.ts";
import { loaderServer } from "../src/http.ts";
import { migrate } from "../src/migrations.ts";
import { countRows, dropPartition, partitionOf } from "../src/partitions.ts";
import { migrationsDirectory, newDatabase, newLake, quietLog, uniqueName, until } from "./engines.ts";
import { putGold, smallGold } from "./goldTables.ts";
import { makeLoad } from "./loads.ts";

let lake: ObjectStore;
let pool: pg.Pool;
let drop: () => Promise<void>;
let server: FastifyInstance;
let missing: string[] = [];
let untilMigrated: (signal: AbortSignal) => Promise<void> = async () => {};

beforeAll(async () => {
  lake = await newLake();
  ({ pool, drop } = await newDatabase());
  await migrate(pool, migrationsDirectory, quietLog);
  server = loaderServer({
    seal: {
      lake,
      bronze: new Bronze(lake, quietLog),
      consumerFault: () => undefined,
      hasUnread: async () => true,
      idleMilliseconds: 100,
    },
    pool,
    seals: new Jobs(quietLog),
    versions: new Jobs(quietLog),
    untilMigrated: (signal) => untilMigrated(signal),
    fixLive: async () => noLiveInput,
    onSealed: () => {},
    onPublished: () => {},
    notReady: async () => missing,
    log: quietLog,
  });
});
afterAll(async () => {
  await server.close();
  await drop();
  lake.close();
});

const post = (url: string, payload: object) => server.inject({ method: "POST", url, payload });
const get = (url: string) => server.inject({ method: "GET", url });

test("the service is ready when nothing is missing, and else says what", async () => {
  expect((await get("/readyz")).statusCode).toBe(200);
  missing = ["the lake"];
  expect((await get("/readyz")).json()).toEqual({ status: "waiting", missing: ["the lake"] });
  expect((await get("/healthz")).statusCode).toBe(200);
  missing = [];
});

test("a request for a version starts a job; the same again loads what is no longer there, and anew after a new gold", async () => {
  const run = uniqueName("run");
  await putGold(lake, run);
  const first = await post("/versions", { run_id: run });
  expect(first.statusCode).toBe(202);
  const { id } = first.json();
  await until("the job has ended", async () => (await get(`/versions/${id}`)).json().state !== "running");
  expect((await get(`/versions/${id}`)).json()).toMatchObject({ state: "done", result: { run_id: run } });
  await dropPartition(pool, partitionOf("dim_date", run));
  expect((await post("/versions", { run_id: run })).json()).toMatchObject({ id });
  await until("the job has ended", async () => (await get(`/versions/${id}`)).json().state !== "running");
  expect(await countRows(pool, partitionOf("dim_date", run))).toBe(smallGold.dim_date);
  await putGold(lake, run, undefined, {}, "try2");
  const again = (await post("/versions", { run_id: run })).json();
  expect(again.id).not.toBe(id);
  await until("the job has ended", async () => (await get(`/versions/${again.id}`)).json().state !== "running");
});

test("a version that is asked for while the tables are made anew is loaded when they are", async () => {
  const run = uniqueName("run");
  await putGold(lake, run);
  let migrated = () => {};
  const migration = new Promise<void>((resolve) => {
    migrated = resolve;
  });
  untilMigrated = () => migration;
  await pool.query("alter table gold.fact_rating rename rating_tenths to before");
  const { id } = (await post("/versions", { run_id: run })).json();
  try {
    // Longer than a load takes to find that a column has another name.
    await sleep(1_500);
    expect((await get(`/versions/${id}`)).json().state).toBe("running");
  } finally {
    await pool.query("alter table gold.fact_rating rename before to rating_tenths");
    migrated();
  }
  await until("the job has ended", async () => (await get(`/versions/${id}`)).json().state !== "running");
  expect((await get(`/versions/${id}`)).json()).toMatchObject({ state: "done", result: { run_id: run } });
});

test("a job nobody knows is not found, and the answer says to post it again", async () => {
  const answer = await get("/seals/run.movies.load");
  expect(answer.statusCode).toBe(404);
  expect(answer.json().error.message).toContain("post it again");
});

test("a request that is not as expected, or comes too early, is refused with a reason", async () => {
  const bad = await post("/seals", { run_id: "a run", dataset: "films", load_id: "../x" });
  expect(bad.statusCode).toBe(400);
  expect(bad.json().error.issues.map(({ path }: { path: string }) => path)).toEqual(["run_id", "dataset", "load_id"]);
  const early = await post("/publications", { run_id: "early" });
  expect(early.statusCode).toBe(409);
  expect(early.json().error).toMatchObject({ code: "missing_report", retryable: false });
});

test("a dead letter in the lake that breaks its contract is no fault of the request, and its object is named", async () => {
  const run = uniqueName("run");
  await writeHop(lake, Date.now(), { hop: "ingest.links", run_id: run, load_id: run, rows: {} });
  const key = lakeKeys.deadLetterSlice("links", run, 0);
  await lake.put(key, '{"id":1}\n');
  const answer = await get(`/dead-letters?run_id=${run}`);
  expect(answer.statusCode).toBe(409);
  expect(answer.json().error).toMatchObject({ code: "bad_object", message: expect.stringContaining(key) });
});

test("dead letters are listed in pages, each of which names the next", async () => {
  const run = uniqueName("run");
  const { load_id, slices } = makeLoad("links", run, [1], [3]);
  await writeHop(lake, Date.now(), { hop: "ingest.links", run_id: run, load_id, rows: {} });
  await lake.put(lakeKeys.deadLetterSlice("links", load_id, 0), `${slices[0]?.deadLetters.join("\n")}\n`);
  const url = `/dead-letters?run_id=${run}`;
  const [, middle = "", last = ""] = [2, 3, 4].map((row) => `links.${load_id}.${row}`);
  const first = (await get(`${url}&limit=2`)).json();
  expect(first).toMatchObject({ run_id: run, total: 3, next: middle });
  const second = (await get(`${url}&limit=2&after=${first.next}`)).json();
  expect(second).toMatchObject({ total: 3, next: null, dead_letters: [{ id: last }] });
  expect((await get(url)).json().dead_letters).toEqual([...first.dead_letters, ...second.dead_letters]);
  for (const [wanted, field] of [
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["limit=x", "limit"],
    ["after=", "after"],
  ]) {
    const refused = await get(`${url}&${wanted}`);
    expect([refused.statusCode, refused.json().error.issues[0].path]).toEqual([400, field]);
  }
  const unknown = await get(`${url}&after=links.typo.1`);
  expect([unknown.statusCode, unknown.json().error.code]).toEqual([400, "unknown_cursor"]);
});

test("dead letters of a run that nobody knows are not found, and the answer says where runs are named", async () => {
  const answer = await get("/dead-letters?run_id=20261123-195000-typo");
  expect(answer.statusCode).toBe(404);
  expect(answer.json().error).toMatchObject({ code: "unknown_run", retryable: false });
  for (const said of ["20261123-195000-typo", "no run is published", "Airflow"])
    expect(answer.json().error.message).toContain(said);
});

test("without a published run it is not known whose dead letters to show", async () => {
  const answer = await get("/dead-letters");
  expect(answer.statusCode).toBe(404);
  expect(answer.json().error).toMatchObject({ code: "nothing_published", message: expect.stringContaining("--run") });
});

test("a dead letter is shown, fixed, discarded and opened again; what is refused says why", async () => {
  const { manifest, slices, load_id } = makeLoad("links", uniqueName("api"), [1], [2]);
  const header = ["movieId", "imdbId", "tmdbId"];
  await lake.put(lakeKeys.manifest("links", load_id), JSON.stringify({ ...manifest, header }));
  await lake.put(lakeKeys.deadLetterSlice("links", load_id, 0), `${slices[0]?.deadLetters.join("\n")}\n`);
  const url = `/dead-letters/links.${load_id}.2`;
  expect((await get(url)).json()).toMatchObject({ raw: "x", state: "open", history: [] });

  const refused = async (payload: object, status: number, message: string) => {
    const answer = await post(`${url}/fixes`, payload);
    expect([answer.statusCode, answer.body]).toEqual([status, expect.stringContaining(message)]);
  };
  await refused({}, 400, "give one of discard, reopen");
  await refused({ reopen: true, set: { tmdbId: "5" } }, 400, "give one of discard, reopen");
  await refused({ discard: "" }, 400, "say why it is discarded");
  await refused({ set: { tmdbId: "5" } }, 400, "wrong_number_of_cells");
  await refused({ record: "1,2,x" }, 400, "not_a_positive_integer");
  const fixed = await post(`${url}/fixes`, { record: "1,2,", set: { tmdb_id: "5" } });
  expect(fixed.statusCode).toBe(200);
  expect(fixed.json()).toMatchObject({ state: "fixed", record: { movie_id: 1, imdb_id: "2", tmdb_id: 5 } });
  expect((await post(`${url}/fixes`, { discard: "no" })).json()).toMatchObject({ state: "discarded" });
  expect((await post(`${url}/fixes`, { reopen: true })).json()).toMatchObject({ state: "open" });
  expect((await get(url)).json().history.map(({ state }: { state: string }) => state)).toEqual([
    "fixed",
    "discarded",
    "open",
  ]);

  const unknown = await post(`/dead-letters/links.${load_id}.1/fixes`, { reopen: true });
  expect([unknown.statusCode, unknown.json().error.code]).toEqual([404, "unknown_dead_letter"]);
  await refused({ merge_with: `links.${load_id}.3` }, 400, "not all the fragments");
});
