import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { type DatasetName, datasetNames, datasets, packings } from "@boxoffice/contracts/dataset";
import { badSource, listed } from "../badSource.ts";
import type { Source } from "./source.ts";

/** A file changed less long ago may still be being written. */
const settledAfterMilliseconds = 10_000;

/** An edition as a directory of files with the dataset's own names, plain, .gz or .zip. */
export function directorySource(edition: string): Source {
  const directory = resolve(edition);
  return {
    async open(dataset) {
      const { name, path } = await find(directory, dataset);
      const { size } = await stat(path);
      return { name, bytes: size, content: createReadStream(path, { highWaterMark: 1 << 20 }) };
    },

    async fingerprint(dataset, last, signal) {
      const { name, path } = await find(directory, dataset);
      const before = await stat(path);
      const quick = `${name} ${before.size} ${before.mtimeMs}`;
      if (last?.quick === quick) return last;
      if (Date.now() - before.mtimeMs < settledAfterMilliseconds) return undefined;
      const hash = createHash("sha256");
      await pipeline(createReadStream(path), hash, { signal });
      const after = await stat(path);
      const isSettled = after.size === before.size && after.mtimeMs === before.mtimeMs;
      return isSettled ? { content: hash.digest("hex"), quick } : undefined;
    },
  };
}

/** The datasets that a directory has a file of: at least one, or an error. */
export async function datasetsIn(directory: string): Promise<DatasetName[]> {
  const present = await namesIn(resolve(directory));
  const found = datasetNames.filter((dataset) => fileNames(dataset).some((name) => present.includes(name)));
  if (found.length > 0) return found;
  throw badSource({
    code: "nothing_to_append",
    problem: `there is no file of any dataset in ${directory}`,
    expected: `at least one of ${listed(datasetNames.flatMap((dataset) => datasets[dataset].files))}, each plain, .gz or .zip`,
    found: listed(present.toSorted(), 20),
    remedy: "put the records to append there under one of these names (upper and lower case matter)",
  });
}

const fileNames = (dataset: DatasetName) =>
  datasets[dataset].files.flatMap((file) => packings.map((packing) => file + packing));

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch((cause: unknown) => {
    throw badSource(
      {
        code: "missing_edition",
        problem: `the directory ${directory} cannot be read`,
        expected: "a directory with the dataset's files, or `kaggle`",
        found: cause instanceof Error ? cause.message : String(cause),
        remedy: "name a directory that exists and that this service can read",
      },
      cause,
    );
  });
}

async function find(directory: string, dataset: DatasetName): Promise<{ name: string; path: string }> {
  const present = await namesIn(directory);
  const wanted = fileNames(dataset);
  const name = wanted.find((candidate) => present.includes(candidate));
  if (name !== undefined) return { name, path: join(directory, name) };
  throw badSource({
    code: "missing_file",
    problem: `${dataset}: there is no file for it in ${directory}`,
    expected: `one of ${listed(wanted)}`,
    found: listed(present.toSorted(), 20),
    remedy: "put the file there under one of these names (upper and lower case matter)",
  });
}
