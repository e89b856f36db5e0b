import { randomBytes } from "node:crypto";
import { createWriteStream, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { seal } from "@boxoffice/contracts/loadManifest";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../services/loader/test/engines.ts";
import { emptyKafka } from "../kit/emptyKafka.ts";
import { box, folderOf, Stores } from "./stores.ts";

const stores = new Stores();
beforeAll(async () => {
  await stores.start();
  // Of what is sealed already Kafka removes segments as the minutes pass.
  await emptyKafka(box);
});
afterAll(() => stores.close());

/** As docker-compose.yml says, for both runtimes. */
const segmentBytes = 32 << 20;
/** A group and a bit: the first partition has some 70 MB of it. */
const rows = 270_000;

/** Links whose IMDb ids are of 256 characters each, so that not as many rows are as many bytes. */
async function longLinks(): Promise<string> {
  const directory = stores.directory();
  function* lines() {
    yield "movieId,imdbId,tmdbId\n";
    for (let row = 1; row <= rows; row += 1) yield `${row},${randomBytes(128).toString("hex")},${row}\n`;
  }
  await pipeline(lines, createWriteStream(join(directory, "links.csv")));
  return directory;
}

/** What is on Kafka's disk of the first partition of links, files included that are only marked as deleted. */
function bytesOnDisk(): number {
  const folder = join(folderOf("kafka"), "links-0");
  const sizes = readdirSync(folder)
    .filter((name) => name.includes(".log"))
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** How long, and how much of a topic, Kafka keeps by itself. */
async function settingsOf(topic: string): Promise<Record<string, string>> {
  const admin = stores.kafka.admin();
  await admin.connect();
  const configNames = ["retention.ms", "retention.bytes", "segment.bytes"];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: topic, configNames }],
  });
  await admin.disconnect();
  const entries = resources[0]?.configEntries ?? [];
  return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
}

test("Kafka's disk holds no more than a segment of a partition whose load is sealed, and all of it before", async () => {
  const ingest = await stores.service("ingest");
  const loader = await stores.service("loader");
  const request = { run_id: "large", dataset: "links", edition: await longLinks() };
  const { result } = await ingest.ended("/loads", request);
  const load_id = String(result?.load_id);
  expect(await settingsOf("links")).toEqual({
    ...{ "retention.ms": "-1", "retention.bytes": "-1" },
    "segment.bytes": String(segmentBytes),
  });
  expect(bytesOnDisk()).toBeGreaterThan(2 * segmentBytes);
  const sealed = await loader.ended("/seals", { run_id: "large", dataset: "links", load_id });
  expect(sealed).toMatchObject({ state: "done", result: { rows } });
  // Kafka looks every 30 s for what it may delete, and deletes it a minute later.
  await until("the segments are gone", () => bytesOnDisk() <= segmentBytes, 240);
  expect(await stores.lake.json(lakeKeys.seal("links", load_id), seal)).toMatchObject({ rows });
}, 400_000);
