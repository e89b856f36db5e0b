import { randomUUID } from "node:crypto";
import { datasetNames } from "@boxoffice/contracts/dataset";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { type LiveRating, liveMessage, liveTopic } from "@boxoffice/contracts/liveRating";
import type { Seal } from "@boxoffice/contracts/loadManifest";
import { type RunInputs, runInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { writeHop } from "@boxoffice/platform/writeHop";
import type { Admin, Producer } from "kafkajs";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { uniqueName, until } from "../../services/loader/test/engines.ts";
import { many, ratingsInBronze } from "../../services/loader/test/liveRatings.ts";
import { makeLoad, putManifest } from "../../services/loader/test/loads.ts";
import { groupMembers } from "../kit/groupMembers.ts";
import type { ServiceProcess } from "../kit/serviceProcess.ts";
import { Stores } from "./stores.ts";

const stores = new Stores();
/** A bronze and groups of their own, without what other files leave; and no rating is written that nobody asks for. */
const settings = { S3_BUCKET: uniqueName("lake"), CONSUMER_GROUP: uniqueName("loader"), LIVE_OBJECT_SECONDS: "600" };
const loads = datasetNames.map((dataset) => makeLoad(dataset, randomUUID(), [3]));
let lake: ObjectStore;
let warehouse: pg.Client;
let admin: Admin;
let producer: Producer;
let posted: LiveRating[] = [];

beforeAll(async () => {
  await stores.start();
  lake = await stores.newLake(settings.S3_BUCKET);
  warehouse = await stores.warehouse();
  admin = stores.kafka.admin();
  producer = stores.kafka.producer({ allowAutoTopicCreation: false });
  await Promise.all([admin.connect(), producer.connect()]);
  for (const load of loads) {
    const { dataset, load_id, manifest } = load;
    const sealed: Seal = { dataset, load_id, rows: manifest.rows, dead_letters: 0, sealed_at: manifest.landed_at };
    await putManifest(lake, load);
    await lake.put(lakeKeys.seal(dataset, load_id), JSON.stringify(sealed));
  }
});
afterEach(() => stores.endServices());
afterAll(async () => {
  await stores.clearLive();
  await Promise.all([admin.disconnect(), producer.disconnect(), warehouse.end()]);
  lake.close();
  await stores.close();
});

/** Starts three, of which each has a partition, as there are four. */
async function startThree(): Promise<[ServiceProcess, ServiceProcess, ServiceProcess]> {
  const start = () => stores.service("loader", settings);
  const loaders: [ServiceProcess, ServiceProcess, ServiceProcess] = [await start(), await start(), await start()];
  const group = `${settings.CONSUMER_GROUP}-live`;
  await until("three loaders share the partitions", async () => (await groupMembers(admin, group)) === 3);
  return loaders;
}

/** Posts ratings of users who have posted none, and waits until the warehouse has them. */
async function post(count: number): Promise<void> {
  const ratings = many(count, 1 + posted.length);
  posted = [...posted, ...ratings];
  await producer.send({ topic: liveTopic, messages: ratings.map(liveMessage), acks: -1 });
  await until("the warehouse has all of them", async () => {
    const { rows } = await warehouse.query<{ n: number }>("select count(*)::int as n from live.ratings");
    return rows[0]?.n === posted.length;
  });
}

/** The live ratings of a new run, whose inputs a loader fixes. */
async function fixed(loader: ServiceProcess): Promise<RunInputs["live"]> {
  const run_id = uniqueName("run");
  for (const { dataset, load_id } of loads)
    await writeHop(lake, Date.now(), { hop: `ingest.${dataset}`, run_id, load_id, rows: {} });
  const { body } = await loader.call("/inputs", { run_id });
  return runInputs.parse(body).live;
}

test("a run has the live ratings of three loaders, whichever of them it asks", async () => {
  for (const loader of await startThree()) {
    await post(200);
    const live = await fixed(loader);
    expect(live).toMatchObject({ bronze: posted.length, source_rows: posted.length });
  }
  expect(await ratingsInBronze(lake)).toEqual(posted);
});

test.each(["SIGKILL", "SIGSTOP"] as const)(
  "a run that is asked for as a loader has a %s has that one's live ratings too, when the others have its partitions",
  async (signal) => {
    const [first, second, third] = await startThree();
    await post(200);
    third.signal(signal);
    const live = await fixed(first);
    expect(live).toMatchObject({ bronze: posted.length, source_rows: posted.length });
    third.signal("SIGCONT");
    await post(200);
    expect(await fixed(second)).toMatchObject({ bronze: posted.length, source_rows: posted.length });
    expect(await ratingsInBronze(lake)).toEqual(posted);
  },
);
