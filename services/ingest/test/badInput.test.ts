import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { type DatasetName, datasets } from "@boxoffice/contracts/dataset";
import { deadLetter } from "@boxoffice/contracts/deadLetter";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { loadManifest } from "@boxoffice/contracts/loadManifest";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { afterAll, beforeAll, expect, test } from "vitest";
import { editionOf, excerptPath, storedZip, uniqueLinks, uniqueMovies } from "./editions.ts";
import { type Engines, startEngines } from "./engines.ts";

let engines: Engines;
beforeAll(async () => {
  engines = await startEngines();
});
afterAll(() => engines?.close());

/** The error of a load that is refused; it fits on a screen, is final, and nothing of the file is on a topic. */
async function refusal(dataset: DatasetName, files: Record<string, string | Buffer>): Promise<ServiceError> {
  const edition = await editionOf(engines.workDirectory, files);
  const error: unknown = await engines.load(dataset, edition).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ServiceError)) throw new Error("the load was not refused", { cause: error });
  expect(error.retryable).toBe(false);
  expect(error.message.split("\n").length).toBeLessThanOrEqual(20);
  expect(error.message).toContain("expected: ");
  expect(error.message).toContain("found: ");
  expect(error.message).toContain("to do: ");
  expect(error.message).toContain("Nothing was published; the answers stay as they were.");
  const content = Object.values(files)[0];
  if (content !== undefined) {
    const id = `${createHash("sha256").update(content).digest("hex").slice(0, 16)}-v${datasets[dataset].version}`;
    expect(await engines.store.json(lakeKeys.manifest(dataset, id), loadManifest)).toBeUndefined();
    expect(await engines.published(dataset, id)).toEqual([]);
  }
  return error;
}

test("a missing file: names what was looked for and what is there", async () => {
  const error = await refusal("movies", { "links.csv": uniqueLinks() });
  expect(error.code).toBe("missing_file");
  expect(error.message).toContain("movies_metadata.csv, movies_metadata.csv.gz, movies_metadata.csv.zip");
  expect(error.message).toMatch(/found: +links\.csv/);
});

test("a missing directory", async () => {
  await expect(engines.load("movies", "/no/such/edition")).rejects.toMatchObject({ code: "missing_edition" });
});

test("an empty file, packed or not, and one of nothing but its header", async () => {
  expect((await refusal("links", { "links.csv": "" })).code).toBe("empty_source");
  expect((await refusal("links", { "links.csv.gz": gzipSync("") })).code).toBe("empty_source");
  const error = await refusal("links", { "links.csv": "movieId,imdbId,tmdbId\r\n" });
  expect(error).toMatchObject({ code: "empty_source" });
  expect(error.message).toContain("the line of column names alone");
});

test("a renamed column: lists expected and found, and the likely match", async () => {
  const error = await refusal("movies", {
    "movies_metadata.csv": (await uniqueMovies()).replace("vote_count", "votes_count"),
  });
  expect(error.code).toBe("missing_column");
  expect(error.message).toContain("movies_metadata.csv lacks the column: vote_count (is it 'votes_count'?)");
  expect(error.message).toContain("original_language");
});

test("missing columns: counts and names them, without a far-fetched match", async () => {
  const error = await refusal("links", { "links.csv": "movieId\n1\n" });
  expect(error.code).toBe("missing_column");
  expect(error.message).toContain("lacks 2 columns: imdbId, tmdbId");
  expect(error.message).not.toContain("is it");
});

test("a web page in place of CSV: says so", async () => {
  const page = "\n<!DOCTYPE html>\n<html><head><title>Sign in - Kaggle</title></head><body>Sign in</body></html>\n";
  const error = await refusal("movies", { "movies_metadata.csv": page });
  expect(error.code).toBe("html_instead_of_csv");
  expect(error.message).toContain("a web page (HTML)");
  expect(error.message).toContain("Sign in - Kaggle");
  expect((await refusal("movies", { "movies_metadata.csv.gz": gzipSync(page) })).code).toBe("html_instead_of_csv");
});

test("JSON, or a spreadsheet's UTF-16: says what it is", async () => {
  expect((await refusal("links", { "links.csv": '{"code":403,"message":"Forbidden"}' })).message).toContain("JSON");
  const utf16 = Buffer.from(`\uFEFF${uniqueLinks()}`, "utf16le");
  expect((await refusal("links", { "links.csv": utf16 })).message).toContain("CSV UTF-8");
});

test.each([
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "vertical bars"],
])(
  "columns separated by %j: says which it seems to be, and that commas are expected",
  async (delimiter, name) => {
    const error = await refusal("links", { "links.csv": uniqueLinks().replaceAll(",", delimiter) });
    expect(error.code).toBe("wrong_delimiter");
    expect(error.message).toContain(`separated by ${name}, not by commas`);
  },
  60_000,
);

test("a truncated gzip", async () => {
  const whole = gzipSync(await uniqueMovies());
  const error = await refusal("movies", { "movies_metadata.csv.gz": whole.subarray(0, whole.length - 100) });
  expect(error.code).toBe("truncated_gzip");
  expect(error.message).toContain("movies_metadata.csv.gz is cut short");
});

test("a damaged gzip", async () => {
  const damaged = gzipSync(await uniqueMovies());
  damaged.fill(0xff, 5_000, 5_100);
  expect((await refusal("movies", { "movies_metadata.csv.gz": damaged })).code).toBe("corrupt_gzip");
});

test("a damaged zip: cut, or changed inside", async () => {
  const whole = await readFile(excerptPath("the-movies-dataset.zip"));
  expect((await refusal("movies", { "movies_metadata.csv.zip": whole.subarray(0, 20_000) })).code).toBe("corrupt_zip");
  const changed = Buffer.from(whole);
  changed.fill(0xff, 12_000, 12_050);
  expect((await refusal("movies", { "movies_metadata.csv.zip": changed })).code).toBe("corrupt_zip");
});

test("a zip with one digit changed in a file that is not compressed, so that it reads well", async () => {
  const whole = storedZip("links.csv", Buffer.from(uniqueLinks(50)));
  const edition = await editionOf(engines.workDirectory, { "links.csv.zip": whole });
  expect(await engines.load("links", edition)).toMatchObject({ rows: 50, dead_letters: 0 });

  const changed = Buffer.from(whole);
  changed.write("7", changed.indexOf("\n11,") + 1);
  const error = await refusal("links", { "links.csv.zip": changed });
  expect(error.code).toBe("corrupt_zip");
  expect(error.message).toContain("links.csv has another checksum (CRC-32) than the archive states");
});

test("a zip without the file: lists what it holds", async () => {
  const zip = await readFile(excerptPath("the-movies-dataset.zip"));
  const error = await refusal("cpi", { "CPIAUCSL.csv.zip": zip });
  expect(error.code).toBe("missing_in_zip");
  expect(error.message).toContain("credits.csv, links.csv, movies_metadata.csv, ratings_small.csv");
});

test("a quote that is not closed: names the line", async () => {
  const error = await refusal("links", { "links.csv": `${uniqueLinks(100)}101,"0114709,862\n` });
  expect(error.code).toBe("unclosed_quote");
  expect(error.message).toContain("links.csv, line 102");
});

test("lines that end in CR alone: says so, however long the file", async () => {
  for (const rows of [10, 100_000]) {
    const error = await refusal("links", { "links.csv": uniqueLinks(rows).replaceAll(/\r?\n/g, "\r") });
    expect(error.code).toBe("missing_line_end");
    expect(error.message).toContain("links.csv, line 1: its lines seem to end in CR alone");
    expect(error.message).toContain("LF or CRLF");
  }
});

test("more rejects than allowed: how many by rule, the first lines, and where all of them are", async () => {
  const bad = "x,1,1\n,1,1\n1,1\n".repeat(3);
  const content = uniqueLinks(91) + bad;
  const error = await refusal("links", { "links.csv": content });
  expect(error.code).toBe("too_many_rejects");
  expect(error.message).toContain("9 of 100 records break the contract (9.0 %)");
  expect(error.message).toContain("at most 5 % (MAX_REJECT_PERCENT)");
  expect(error.message).toContain("not_a_positive_integer 3, missing_key 3, wrong_number_of_cells 3");
  expect(error.message).toContain("line 93: movieId: expected a positive integer up to 2147483647, got 'x'");
  const where = /s3:\/\/[^/]+\/(dead-letters\/\S+)/.exec(error.message)?.[1] ?? "";
  const letters: unknown[] = [];
  for await (const { key } of engines.store.list(where)) {
    const lines = Buffer.from((await engines.store.bytes(key)) ?? [])
      .toString()
      .trimEnd()
      .split("\n");
    letters.push(...lines.map((line) => deadLetter.parse(JSON.parse(line))));
  }
  expect(letters).toHaveLength(9);

  const edition = await editionOf(engines.workDirectory, { "links.csv": content });
  const allowed = await engines.load("links", edition, { maxRejectPercent: 10 });
  expect(allowed).toMatchObject({ rows: 91, dead_letters: 9, already: false });
});
