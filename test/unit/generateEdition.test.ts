import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { datasetNames } from "@boxoffice/contracts/dataset";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BoxError, exitCode } from "../../scripts/boxError.ts";
import { rootPath } from "../../scripts/boxHome.ts";
import { requireRoom } from "../../scripts/generate/diskRoom.ts";
import { type GenerateOptions, generateEdition } from "../../scripts/generate/generateEdition.ts";
import { directorySource } from "../../services/ingest/src/sources/directory.ts";

vi.setConfig({ testTimeout: 60_000 });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "generate-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const generate = (options: Partial<GenerateOptions> = {}) =>
  generateEdition({
    directory,
    ratings: 100,
    seed: 1,
    lineEnd: "\n",
    force: false,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...options,
  });

test("ingest finds all datasets of the directory, and the summary is that of the file", async () => {
  const report = await generate({ directory: join(directory, "made", "here") });
  const source = directorySource(join(directory, "made", "here"));
  const context = { signal: new AbortController().signal, progress: () => {} };
  const names: string[] = [];
  for (const dataset of datasetNames) {
    const { name, content } = await source.open(dataset, context);
    // To the end, for the file to be closed.
    for await (const _ of content);
    names.push(name);
  }
  expect(names.sort()).toEqual(["CPIAUCSL.csv.gz", "links.csv.gz", "movies_metadata.csv.gz", "ratings.csv"]);
  const written = readFileSync(report.path);
  expect(report).toMatchObject({
    rows: 100,
    users: 1,
    movies: 100,
    bytes: written.length,
    sha256: createHash("sha256").update(written).digest("hex"),
  });
});

test("files that are there are replaced by force only", async () => {
  await generate();
  const before = readFileSync(join(directory, "ratings.csv"));
  await expect(generate({ seed: 2 })).rejects.toThrow(/has ratings\.csv already: --force/);
  expect(readFileSync(join(directory, "ratings.csv"))).toEqual(before);
  await generate({ seed: 2, force: true });
  expect(readFileSync(join(directory, "ratings.csv"))).not.toEqual(before);
});

test("other bytes under a name that is copied are not overwritten, and a part of a killed command is told of", async () => {
  writeFileSync(join(directory, "links.csv.gz"), "mine");
  writeFileSync(join(directory, "ratings.csv.part"), "half");
  await expect(generate()).rejects.toThrow(/has ratings\.csv\.part, links\.csv\.gz already/);
  expect(readFileSync(join(directory, "links.csv.gz"), "utf8")).toBe("mine");
  await generate({ force: true });
  expect(existsSync(join(directory, "ratings.csv.part"))).toBe(false);
});

test("an interruption leaves no file that is half written, and what was there before stays", async () => {
  await generate();
  const before = readFileSync(join(directory, "ratings.csv"));
  const stop = new AbortController();
  const reason = new BoxError("interrupted", exitCode.interrupted);
  const interrupted = generate({
    ratings: 1_000_000,
    force: true,
    signal: stop.signal,
    onProgress: () => {
      expect(existsSync(join(directory, "ratings.csv.part"))).toBe(true);
      stop.abort(reason);
    },
  });
  await expect(interrupted).rejects.toBe(reason);
  expect(readdirSync(directory)).not.toContain("ratings.csv.part");
  expect(readFileSync(join(directory, "ratings.csv"))).toEqual(before);
});

test("what cannot be written is refused with the reason, before anything is written", async () => {
  await expect(generate({ directory: rootPath("data", "edition") })).rejects.toMatchObject({
    exitCode: exitCode.usage,
  });
  await expect(generate({ ratings: 2 ** 31 })).rejects.toThrow(/too many/);
  await expect(requireRoom(directory, Number.MAX_SAFE_INTEGER)).rejects.toThrow(/free and up to .* are needed/);
  writeFileSync(join(directory, "file"), "");
  await expect(generate({ directory: join(directory, "file") })).rejects.toThrow(/^cannot write an edition/);
  expect(readdirSync(directory)).toEqual(["file"]);
});
