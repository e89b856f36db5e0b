import { createHash, randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { gzipSync } from "node:zlib";
import type { DatasetName } from "@boxoffice/contracts/dataset";
import { hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { loadManifest } from "@boxoffice/contracts/loadManifest";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LoadRequest, loadIfThere } from "../src/load.ts";
import { editionOf, storedZip, uniqueLinks, uniqueMovies } from "./editions.ts";
import { type Engines, patientContext, startEngines } from "./engines.ts";

let engines: Engines;
beforeAll(async () => {
  engines = await startEngines();
});
afterAll(() => engines?.close());

const edition = (files: Record<string, string | Buffer>) => editionOf(engines.workDirectory, files);
const wanted = (more: Partial<LoadRequest>): LoadRequest => ({
  run_id: randomUUID(),
  dataset: "links",
  full_refresh: false,
  ...more,
});

/** A load as its task asks for it, and what it logged. */
async function load(request: LoadRequest) {
  const lines = new PassThrough();
  const services = { ...engines.loads, log: pino(lines) };
  const result = await loadIfThere(request, services, patientContext());
  return { result, loadId: String(result.load_id), logged: String(lines.read()) };
}

/** How often each slice was published, by its bytes. */
async function timesPublished(dataset: DatasetName, loadId: string): Promise<number[]> {
  const times = new Map<string, number>();
  for (const { topic, headers, value } of await engines.published(dataset, loadId)) {
    const slice = `${topic} ${headers.slice} ${createHash("sha256").update(value).digest("hex")}`;
    times.set(slice, (times.get(slice) ?? 0) + 1);
  }
  return [...times.values()];
}

const zipped = (movies: string) => storedZip("movies_metadata.csv", Buffer.from(movies));
const forms: { form: string; file: string; packed: (movies: string) => Buffer }[] = [
  { form: "plain", file: "movies_metadata.csv", packed: Buffer.from },
  { form: "packed by gzip", file: "movies_metadata.csv.gz", packed: (movies) => gzipSync(movies) },
  { form: "in a zip", file: "movies_metadata.csv.zip", packed: zipped },
];
test.each(forms)("what landed $form is published again as it was when its source is gone", async ({ file, packed }) => {
  const directory = await edition({ [file]: packed(await uniqueMovies()) });
  const request = wanted({ dataset: "movies", edition: directory });
  const first = await load(request);
  expect(first.logged).not.toContain("published again");
  await rm(directory, { recursive: true });
  const again = await load(request);
  expect(again.result).toEqual(first.result);
  expect(again.logged).toContain("what landed is published again");
  // The rows, and the dead letters.
  expect(await timesPublished("movies", first.loadId)).toEqual([2, 2]);
  const report = await engines.store.json(lakeKeys.hop(request.run_id, "ingest.movies"), hopReport);
  expect(report).toMatchObject({ load_id: first.loadId, rows: { movies: { rows_in: 320, rows_out: 318 } } });
});

test("a run stays with the bytes it has landed when its source holds others by now; another run takes these", async () => {
  const directory = await edition({ "links.csv": uniqueLinks() });
  const request = wanted({ edition: directory });
  const first = await load(request);
  await writeFile(`${directory}/links.csv`, uniqueLinks(5));
  expect((await load(request)).result).toEqual(first.result);
  expect((await load({ ...request, run_id: randomUUID() })).result).toMatchObject({ rows: 5 });
});

test("a full refresh publishes again what it landed, and takes nothing that landed without one", async () => {
  const directory = await edition({ "links.csv": uniqueLinks() });
  const request = wanted({ edition: directory });
  const plain = await load(request);
  const refreshed = await load({ ...request, full_refresh: true });
  expect(refreshed.logged).not.toContain("published again");
  expect(refreshed.loadId).toMatch(new RegExp(`^${plain.loadId}-[0-9a-f]{8}$`));
  await rm(directory, { recursive: true });
  expect((await load({ ...request, full_refresh: true })).result).toEqual(refreshed.result);
  expect(await timesPublished("links", refreshed.loadId)).toEqual([2]);
});

test("what was to be appended is published again to be appended, and is no edition's file", async () => {
  const append = await edition({ "links.csv": uniqueLinks() });
  const request = wanted({ append });
  const first = await load(request);
  await rm(append, { recursive: true });
  expect((await load(request)).result).toEqual(first.result);
  const report = await engines.store.json(lakeKeys.hop(request.run_id, "ingest.links"), hopReport);
  expect(report).toMatchObject({ load_id: first.loadId, appends: true });
  const { append: _none, ...asEdition } = request;
  await expect(load({ ...asEdition, edition: append })).rejects.toMatchObject({ code: "missing_edition" });
});

test("a load that is sealed is not published again: its source is opened", async () => {
  const directory = await edition({ "links.csv": uniqueLinks() });
  const request = wanted({ edition: directory });
  const { loadId } = await load(request);
  const seal = { load_id: loadId, dataset: "links", rows: 3, dead_letters: 0, sealed_at: new Date().toISOString() };
  await engines.store.create(lakeKeys.seal("links", loadId), JSON.stringify(seal));
  const again = await load(request);
  expect(again).toMatchObject({ result: { already: true }, logged: "null" });
  expect(await timesPublished("links", loadId)).toEqual([1]);
});

test("an object that is not what landed, or is gone, is refused with both sums, and nothing of it is published", async () => {
  const directory = await edition({ "links.csv": uniqueLinks() });
  const request = wanted({ edition: directory });
  const { loadId } = await load(request);
  const manifest = await engines.store.json(lakeKeys.manifest("links", loadId), loadManifest);
  if (!manifest) throw new Error("no manifest");
  const folder = `s3://${engines.bucket}/raw/links/${loadId}/`;
  const damaged = uniqueLinks();
  await engines.store.put(manifest.key, damaged);
  const sum = createHash("sha256").update(damaged).digest("hex");
  await expect(load(request)).rejects.toMatchObject({
    code: "landed_damaged",
    retryable: false,
    message: expect.stringMatching(
      new RegExp(
        `^links.csv: load ${loadId} of links .*\n {2}expected: ${folder}links.csv with ${manifest.bytes} bytes and sha256 ` +
          `${manifest.sha256}\n {2}found: {4}${damaged.length} bytes with sha256 ${sum}\n {2}to do: .* below ${folder}, and run again`,
      ),
    ),
  });
  await engines.store.put(manifest.key, new Uint8Array());
  await expect(load(request)).rejects.toThrow(/found: {4}0 bytes/);
  await engines.store.delete([manifest.key]);
  await expect(load(request)).rejects.toThrow(/found: {4}no object of that key/);
  expect(await timesPublished("links", loadId)).toEqual([1]);

  // What it says to do.
  await engines.store.delete([lakeKeys.manifest("links", loadId)]);
  expect((await load(request)).loadId).toBe(loadId);
  expect(await engines.store.bytes(manifest.key)).toEqual(await readFile(`${directory}/links.csv`));
});
