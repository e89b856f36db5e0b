import { PassThrough } from "node:stream";
import type { Job } from "@boxoffice/contracts/job";
import { noLiveInput } from "@boxoffice/contracts/runInputs";
import { Jobs } from "@boxoffice/platform/jobs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type { FastifyInstance } from "fastify";
import type pg from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FaultyStore, noFaults } from "../../../test/kit/faultyStore.ts";
import { Bronze } from "../src/bronze.ts";
import { readHop } from "../src/hopReports.ts";
import { loaderServer } from "../src/http.ts";
import { migrate } from "../src/migrations.ts";
import { countRows, partitionOf, partitionState } from "../src/partitions.ts";
import { readSeal } from "../src/seal.ts";
import {
  addresses,
  lakeOf,
  migrationsDirectory,
  newDatabase,
  newLake,
  quietLog,
  uniqueName,
  until,
} from "./engines.ts";
import { type GoldRows, putGold, smallGold } from "./goldTables.ts";
import { makeLoad, putBronze, putManifest } from "./loads.ts";

/** For two minutes without anybody asking: half a second. */
const lookMilliseconds = 100;
const movies = 20_000;
const gold: GoldRows = { ...smallGold, dim_movie: movies };
const lines = new PassThrough();
let logged = "";
let lake: ObjectStore;
let proxy: FaultyStore;
/** The same lake by way of the proxy. */
let slow: ObjectStore;
let pool: pg.Pool;
let drop: () => Promise<void>;
let server: FastifyInstance;

beforeAll(async () => {
  lines.on("data", (line) => {
    logged += line;
  });
  const bucket = uniqueName("lake");
  lake = await newLake(bucket);
  proxy = await FaultyStore.before(addresses.s3, 1);
  slow = lakeOf(bucket, proxy.endpoint);
  ({ pool, drop } = await newDatabase());
  await migrate(pool, migrationsDirectory, quietLog);
  const jobs = () => new Jobs(pino(lines), lookMilliseconds);
  server = loaderServer({
    seal: {
      lake: slow,
      bronze: new Bronze(slow, quietLog),
      consumerFault: () => undefined,
      hasUnread: async () => true,
      // Longer than the test waits.
      idleMilliseconds: 600_000,
    },
    pool,
    seals: jobs(),
    versions: jobs(),
    untilMigrated: async () => {},
    fixLive: async () => noLiveInput,
    onSealed: () => {},
    onPublished: () => {},
    notReady: async () => [],
    log: quietLog,
  });
});
afterAll(async () => {
  await server?.close();
  await drop?.();
  slow?.close();
  lake?.close();
  await proxy?.close();
});

const post = async (url: string, payload: object): Promise<Job> =>
  (await server.inject({ method: "POST", url, payload })).json();
const ask = async (collection: string, { id }: Job): Promise<Job> =>
  (await server.inject({ method: "GET", url: `${collection}/${id}` })).json();

/** Asks for a job until it has done so much, then asks no more, and waits until it has ended, which its log says. */
async function leave(collection: string, request: object, done: number): Promise<Job> {
  const begun = await post(collection, request);
  await until("it is at work", async () => (await ask(collection, begun)).progress.done >= done);
  const end = new RegExp(`"job":"${begun.id}".*"job (?:done|failed)"`);
  await until("nobody has asked for long and it has ended", () => end.test(logged));
  return ask(collection, begun);
}

/** Asks for a job until it has ended. */
async function ended(collection: string, request: object): Promise<Job> {
  let job = await post(collection, request);
  await until("it has ended", async () => {
    job = await ask(collection, job);
    return job.state !== "running";
  });
  return job;
}

interface Loaded {
  attached: boolean;
  rows: number;
}

const whole = (table: string) => ({ attached: true, rows: gold[table] });

/** What the warehouse has of a version, by table: undefined where there is none. */
async function loaded(run: string): Promise<Record<string, Loaded | undefined>> {
  const tables = Object.keys(gold).map(async (table) => {
    const partition = partitionOf(table, run);
    const state = await partitionState(pool, partition);
    return [table, state && { attached: state.attached, rows: await countRows(pool, partition) }] as const;
  });
  return Object.fromEntries(await Promise.all(tables));
}

const stopped = { state: "failed", error: { code: "unasked", retryable: true } };

test("a seal that nobody asks for any more is not written, and is when the same is asked for again and the rest came", async () => {
  const load = makeLoad(
    "links",
    uniqueName("left"),
    Array.from({ length: 20 }, () => 2),
  );
  await putManifest(lake, load);
  await putBronze(lake, load, [32]);
  const run = uniqueName("run");
  const request = { run_id: run, dataset: load.dataset, load_id: load.load_id };
  expect(await leave("/seals", request, 1)).toMatchObject(stopped);
  await putBronze(lake, load);
  expect(await readSeal(lake, load.dataset, load.load_id)).toBeUndefined();
  expect(await readHop(lake, run, "bronze.links")).toBeUndefined();
  expect(await ended("/seals", request)).toMatchObject({ state: "done", result: { rows: 40, was_sealed: false } });
  expect(await readSeal(lake, load.dataset, load.load_id)).toMatchObject({ rows: 40 });
});

test("a version that nobody asks for any more has each table whole or not at all, and all of them when it is asked for again", async () => {
  const run = uniqueName("run");
  await putGold(lake, run, gold);
  proxy.faults = { ...noFaults, milliseconds: 1_000 };
  // The largest table is copied first: some of those after it are there by then.
  expect(await leave("/versions", { run_id: run }, movies + 40)).toMatchObject(stopped);
  proxy.faults = noFaults;
  const left = await loaded(run);
  for (const [table, state] of Object.entries(left)) expect([undefined, whole(table)], table).toContainEqual(state);
  expect(Object.values(left).filter((state) => !state)).not.toHaveLength(0);
  expect(Object.values(left).filter((state) => state)).not.toHaveLength(0);
  expect(await readHop(lake, run, "warehouse")).toBeUndefined();
  expect(await ended("/versions", { run_id: run })).toMatchObject({ state: "done", result: { tables: gold } });
  for (const [table, state] of Object.entries(await loaded(run))) expect(state, table).toEqual(whole(table));
});
