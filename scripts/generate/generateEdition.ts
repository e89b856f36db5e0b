import { createHash } from "node:crypto";
import { copyFile, type FileHandle, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { BoxError, exitCode } from "../boxError.ts";
import { rootPath } from "../boxHome.ts";
import { requireRoom } from "./diskRoom.ts";
import { observedRatings } from "./observedRatings.ts";
import { mostBytes, RatingsCsv, type RatingsShape } from "./ratingsCsv.ts";

/** Bronze numbers the records of a file in 32 bits. */
const mostRatings = 2 ** 31 - 1;

const bundledEdition = rootPath("data", "edition");
const bundledFiles = ["movies_metadata.csv.gz", "links.csv.gz", "CPIAUCSL.csv.gz"];

export interface GenerateOptions extends Omit<RatingsShape, "observed"> {
  directory: string;
  /** Replace files that are there. */
  force: boolean;
  signal: AbortSignal;
  /** Told now and then how many rows are written. */
  onProgress: (rows: number) => void;
}

export interface GenerateReport {
  path: string;
  rows: number;
  users: number;
  /** Movies with a rating. */
  movies: number;
  bytes: number;
  sha256: string;
  seconds: number;
}

/**
 * Makes a directory an edition: generated ratings.csv beside the other files of the bundled edition. ratings.csv has
 * its name only when it is whole and everything else is there.
 */
export async function generateEdition(options: GenerateOptions): Promise<GenerateReport> {
  const { directory, ratings, seed, lineEnd, force } = options;
  if (ratings > mostRatings)
    throw new BoxError(`${ratings} ratings are too many: an edition holds up to ${mostRatings}`, exitCode.usage);
  if (resolve(directory) === bundledEdition)
    throw new BoxError(`${directory} is the bundled edition: name another directory`, exitCode.usage);
  const path = join(directory, "ratings.csv");
  const start = performance.now();
  try {
    await mkdir(directory, { recursive: true });
    if (!force) await refuseToReplace(directory);
    const shape = { ratings, seed, lineEnd, observed: await observedRatings(bundledEdition) };
    await requireRoom(directory, mostBytes(shape));
    const csv = new RatingsCsv(shape);
    const written = await writeWhole(path, csv, options);
    return { path, ...csv.written, ...written, seconds: Math.round(performance.now() - start) / 1000 };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const code = error.code === "ENOSPC" ? exitCode.environment : exitCode.failed;
    throw new BoxError(`cannot write an edition to ${directory}: ${error.message}`, code, error);
  }
}

async function writeWhole(path: string, csv: RatingsCsv, options: GenerateOptions) {
  const part = `${path}.part`;
  if (options.force) await rm(part, { force: true });
  const file = await open(part, "wx");
  try {
    const written = await writeChunks(file, csv, options).finally(() => file.close());
    await copyBundledFiles(options.directory);
    options.signal.throwIfAborted();
    await rename(part, path);
    return written;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function writeChunks(file: FileHandle, csv: RatingsCsv, { signal, onProgress }: GenerateOptions) {
  const hash = createHash("sha256");
  let bytes = 0;
  for (const chunk of csv.chunks()) {
    signal.throwIfAborted();
    hash.update(chunk);
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
    bytes += chunk.length;
    onProgress(csv.written.rows);
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Refuses when a file is there that we would write with other bytes. */
async function refuseToReplace(directory: string): Promise<void> {
  const present = new Set(await readdir(directory));
  const inTheWay = ["ratings.csv", "ratings.csv.part"].filter((name) => present.has(name));
  for (const name of bundledFiles.filter((file) => present.has(file))) {
    const [there, bundled] = await Promise.all([directory, bundledEdition].map((from) => readFile(join(from, name))));
    if (!bundled || !there?.equals(bundled)) inTheWay.push(name);
  }
  if (inTheWay.length === 0) return;
  throw new BoxError(`${directory} has ${inTheWay.join(", ")} already: --force replaces what is there`, exitCode.usage);
}

async function copyBundledFiles(directory: string): Promise<void> {
  for (const name of bundledFiles) await copyFile(join(bundledEdition, name), join(directory, name));
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "code" in error && "syscall" in error;
