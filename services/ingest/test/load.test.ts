import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { datasets } from "@boxoffice/contracts/dataset";
import { deadLetter } from "@boxoffice/contracts/deadLetter";
import { hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { loadManifest, type Seal } from "@boxoffice/contracts/loadManifest";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadIfThere, loadRequest } from "../src/load.ts";
import { editionOf, excerptPath, excerptText, uniqueLinks, uniqueMovies } from "./editions.ts";
import { type Engines, patientContext, startEngines } from "./engines.ts";

let engines: Engines;
beforeAll(async () => {
  engines = await startEngines();
});
afterAll(() => engines?.close());

const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const edition = (files: Record<string, string | Buffer>) => editionOf(engines.workDirectory, files);

async function manifestOf(dataset: "movies" | "links", loadId: string) {
  const manifest = await engines.store.json(lakeKeys.manifest(dataset, loadId), loadManifest);
  if (!manifest) throw new Error(`no manifest of ${loadId}`);
  return manifest;
}

test("the bytes land unchanged, every record is on a topic once, and the manifest says so", async () => {
  const bytes = gzipSync(await uniqueMovies());
  const result = await engines.load("movies", await edition({ "movies_metadata.csv.gz": bytes }));
  expect(result).toMatchObject({
    file: "movies_metadata.csv.gz",
    source_rows: 320,
    rows: 318,
    dead_letters: 2,
    already: false,
  });
  expect(result.load_id).toBe(`${sha256(bytes).slice(0, 16)}-v${datasets.movies.version}`);

  const manifest = await manifestOf("movies", result.load_id);
  expect(manifest).toMatchObject({
    sha256: sha256(bytes),
    bytes: bytes.length,
    rejected: { wrong_number_of_cells: 2 },
    slices: 1,
    dead_letter_slices: 1,
    group_rows: [318],
    header: expect.arrayContaining(["id", "vote_count"]),
  });
  expect(sha256((await engines.store.bytes(manifest.key)) ?? "")).toBe(manifest.sha256);

  const published = await engines.published("movies", result.load_id);
  expect(published.map(({ topic, partition }) => [topic, partition])).toEqual(
    expect.arrayContaining([
      ["movies", 0],
      ["dead-letters", 0],
    ]),
  );
  expect(published).toHaveLength(2);
  const rows = published.find(({ topic }) => topic === "movies");
  expect(tableFromIPC(rows?.value).numRows).toBe(318);
  const letters =
    published
      .find(({ topic }) => topic === "dead-letters")
      ?.value.toString()
      .trimEnd()
      .split("\n") ?? [];
  const text = await excerptText("movies_metadata.csv");
  for (const letter of letters.map((line) => deadLetter.parse(JSON.parse(line)))) {
    expect(letter).toMatchObject({ rule: "wrong_number_of_cells", file: "movies_metadata.csv.gz", column: null });
    expect(text.split("\n")[letter.line - 1]).toBe(letter.raw);
  }
});

/** Says, as the loader does, that every row of a load is in the lake. */
async function sealLoad(dataset: "movies" | "links", loadId: string): Promise<void> {
  const { rows, dead_letters } = await manifestOf(dataset, loadId);
  const seal: Seal = { load_id: loadId, dataset, rows, dead_letters, sealed_at: new Date().toISOString() };
  await engines.store.create(lakeKeys.seal(dataset, loadId), JSON.stringify(seal));
}

test("a load that was published and never sealed is published again as it was, under its first manifest", async () => {
  const directory = await edition({ "links.csv": uniqueLinks() });
  const first = await engines.load("links", directory);
  const manifest = await manifestOf("links", first.load_id);
  expect(await engines.load("links", directory)).toEqual(first);
  expect(await manifestOf("links", first.load_id)).toEqual(manifest);
  const published = await engines.published("links", first.load_id);
  expect(published).toHaveLength(2);
  expect(new Set(published.map(({ value }) => sha256(value))).size).toBe(1);
});

test("a sealed load with more rejects than are allowed by now is refused, as a new one would be", async () => {
  const directory = await edition({ "links.csv": `${uniqueLinks(91)}${"x,1,1\n".repeat(9)}` });
  const { load_id } = await engines.load("links", directory, { maxRejectPercent: 10 });
  await sealLoad("links", load_id);
  await expect(engines.load("links", directory)).rejects.toMatchObject({
    code: "too_many_rejects",
    message: expect.stringContaining("9 of 100 records break the contract (9.0 %)"),
  });
  expect(await engines.load("links", directory, { maxRejectPercent: 10 })).toMatchObject({ already: true });
});

test("the same bytes again, once sealed, are a no-op that says so, and the run still gets its report", async () => {
  const directory = await edition({ "links.csv": uniqueLinks() });
  const first = await engines.load("links", directory);
  await sealLoad("links", first.load_id);
  const manifest = await manifestOf("links", first.load_id);
  const again = await engines.load("links", directory, { run_id: "again" });
  expect(again).toEqual({ ...first, already: true });
  expect(await manifestOf("links", first.load_id)).toEqual(manifest);
  expect(await engines.published("links", first.load_id)).toHaveLength(1);
  expect(await engines.store.json(lakeKeys.hop("again", "ingest.links"), hopReport)).toMatchObject({
    hop: "ingest.links",
    run_id: "again",
    load_id: first.load_id,
    rows: { links: { rows_in: 3, rows_out: 3, dropped: {} } },
    bytes: manifest.bytes,
  });
});

test("a full refresh is a load of its own, once per run", async () => {
  const directory = await edition({ "links.csv": uniqueLinks() });
  const plain = await engines.load("links", directory);
  const refresh = { run_id: randomUUID(), full_refresh: true };
  const refreshed = await engines.load("links", directory, refresh);
  expect(refreshed.load_id).toBe(`${plain.load_id}-${sha256(refresh.run_id).slice(0, 8)}`);
  expect(refreshed.already).toBe(false);
  await sealLoad("links", refreshed.load_id);
  expect((await engines.load("links", directory, refresh)).already).toBe(true);
});

test("a load that was stopped while it published leaves no manifest, and the next one repeats the same messages", async () => {
  const directory = await edition({ "links.csv": uniqueLinks(40_000, 10) });
  const stop = new AbortController();
  const stopped = engines.load("links", directory, {
    context: {
      signal: stop.signal,
      progress: (_done, _total, unit) => {
        if (unit === "rows published") stop.abort(new Error("stopped here"));
      },
    },
  });
  await expect(stopped).rejects.toThrow("stopped here");
  const whole = await engines.load("links", directory);
  const loadId = whole.load_id;
  expect(whole).toMatchObject({ already: false, rows: 40_000 });

  const bySlice = new Map<number, Set<string>>();
  const published = await engines.published("links", loadId);
  for (const { headers, value } of published) {
    bySlice.set(headers.slice, (bySlice.get(headers.slice) ?? new Set()).add(sha256(value)));
  }
  expect(published.length).toBeGreaterThan(bySlice.size);
  expect(bySlice.size).toBe((await manifestOf("links", loadId)).slices);
  for (const values of bySlice.values()) expect(values.size).toBe(1);
});

test("two loads of the same bytes at once end alike, with one manifest", async () => {
  const directory = await edition({ "movies_metadata.csv": await uniqueMovies() });
  const [one, other] = await Promise.all([engines.load("movies", directory), engines.load("movies", directory)]);
  expect({ ...one, already: false }).toEqual({ ...other, already: false });
  const values = (await engines.published("movies", one.load_id)).map(
    ({ topic, value }) => `${topic} ${sha256(value)}`,
  );
  expect(new Set(values).size).toBe(2);
});

test("progress tells bytes first, of landing only where it outlasts the check, and rows at the end; temporary files go", async () => {
  const seen: { done: number; total: number | null; unit: string }[] = [];
  const context = patientContext((done, total, unit) => seen.push({ done, total, unit }));
  await engines.load("movies", await edition({ "movies_metadata.csv": await uniqueMovies() }), { context });
  const units = [...new Set(seen.map(({ unit }) => unit))];
  expect(units.filter((unit) => unit !== "bytes landed")).toEqual(["bytes copied", "bytes checked", "rows published"]);
  expect(seen.at(-1)).toEqual({ done: 320, total: 320, unit: "rows published" });
  expect(await readdir(`${engines.workDirectory}/loads`)).toEqual([]);
});

test("a gzip or zip is known by its first bytes, whatever it is called", async () => {
  const zip = await readFile(excerptPath("the-movies-dataset.zip"));
  const zipped = await engines.load("movies", await edition({ "movies_metadata.csv": zip }));
  expect(zipped).toMatchObject({ source_rows: 320, dead_letters: 2 });
  const text = uniqueLinks();
  const gzipped = await engines.load("links", await edition({ "links.csv": gzipSync(text) }));
  const plain = await engines.load("links", await edition({ "links.csv.gz": text }));
  expect([gzipped.rows, plain.rows]).toEqual([3, 3]);
});

test("a spreadsheet's re-save loads: byte order mark, CRLF, dates like 10/30/1995, FALSE in capitals", async () => {
  const resaved = (await uniqueMovies())
    .replaceAll(/,(\d{4})-(\d{2})-(\d{2}),/g, (_all, year, month, day) => `,${Number(month)}/${Number(day)}/${year},`)
    .replaceAll("False", "FALSE")
    .replaceAll("\n", "\r\n");
  const result = await engines.load("movies", await edition({ "movies_metadata.csv": `\uFEFF${resaved}` }));
  expect(result).toMatchObject({ source_rows: 320, rows: 318 });
  const published = await engines.published("movies", result.load_id);
  const table = tableFromIPC(published.find(({ topic }) => topic === "movies")?.value);
  expect(table.get(0)?.toJSON()).toMatchObject({ release_date: Date.parse("1995-10-30"), adult: "FALSE" });
});

test("a CPI with a dot, an empty value and a month that is missing loads, under either name of its date", async () => {
  for (const header of ["DATE", "observation_date"]) {
    const csv = `${header},CPIAUCSL\n2025-08-01,323.364\n2025-09-01,.\n2025-11-01,\n2025-12-01,${Math.random()}\n`;
    expect(await engines.load("cpi", await edition({ "CPIAUCSL.csv": csv }))).toMatchObject({
      rows: 4,
      dead_letters: 0,
    });
  }
});

test("a directory to append may lack files, and its loads say in the run's report what they are for", async () => {
  const append = await edition({ "links.csv": uniqueLinks() });
  const wanted = { run_id: randomUUID(), full_refresh: false, append };
  const context = patientContext();
  expect(await loadIfThere({ ...wanted, dataset: "movies" }, engines.loads, context)).toEqual({ load_id: null });
  const result = await loadIfThere({ ...wanted, dataset: "links" }, engines.loads, context);
  expect(result).toMatchObject({ rows: 3, already: false });
  const report = await engines.store.json(lakeKeys.hop(wanted.run_id, "ingest.links"), hopReport);
  expect(report).toMatchObject({ load_id: result.load_id, appends: true });
});

test("a directory to append without a file of any dataset is refused with what was expected and found", async () => {
  const append = await edition({ "Ratings.csv": "userId\n" });
  const wanted = { run_id: randomUUID(), full_refresh: false, dataset: "links" as const, append };
  await expect(loadIfThere(wanted, engines.loads, patientContext())).rejects.toThrow(
    /no file of any dataset in .*\n {2}expected: .*ratings.csv.*\n {2}found: {4}Ratings.csv\n/,
  );
  const gone = loadIfThere({ ...wanted, append: `${append}/gone` }, engines.loads, patientContext());
  await expect(gone).rejects.toThrow(/gone cannot be read/);
});

test("appending excludes an edition and a full refresh", () => {
  const wanted = { run_id: "r", dataset: "links", append: "more" };
  expect(loadRequest.safeParse(wanted).success).toBe(true);
  for (const other of [{ edition: "e" }, { full_refresh: true }])
    expect(loadRequest.safeParse({ ...wanted, ...other }).error?.issues[0]?.message).toContain("append excludes");
});
