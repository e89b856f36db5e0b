import { createHash, randomUUID } from "node:crypto";
import { closeSync, openSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { datasets, packings } from "@boxoffice/contracts/dataset";
import { BoxError, exitCode } from "../boxError.ts";
import { type RunOptions, run } from "../install/run.ts";
import { uninterrupted } from "../interrupt.ts";
import { step } from "../terminal.ts";
import { containers } from "./compose.ts";

const editions = "/var/lib/boxoffice/editions";

interface EditionFile {
  name: string;
  path: string;
  size: bigint;
  /** Nanoseconds since 1970. */
  changed: bigint;
}

/**
 * Copies the files of an edition to where ingest reads them and answers that folder. Files that differ go to a folder of
 * their own: a run may be reading the older ones.
 */
export async function copyEdition(directory: string): Promise<string> {
  const files = editionFiles(directory);
  const container = await ingestContainer();
  const inIngest = (script: string, args: string[], options: RunOptions = {}) =>
    run("docker", ["exec", "-i", container, "sh", "-euc", script, "sh", ...args], {
      title: `copying ${directory} to ingest`,
      ...options,
    });

  const copies = `${editions}/${digest([directory])}`;
  const copy = `${copies}/${digest(files.map(({ name, size, changed }) => `${name} ${size} ${changed}`))}`;
  const target = `${copy}/${basename(directory)}`;
  if ((await inIngest(isThere, [copy])).includes("there")) return target;

  const part = `${copy}.${randomUUID()}`;
  const partTarget = `${part}/${basename(directory)}`;
  await step("Copying the edition to ingest", async (report) => {
    try {
      await inIngest('mkdir -p "$1"', [partTarget]);
      for (const { name, path, size } of files) {
        report(name);
        const title = `copying ${path} to ingest`;
        await withOpen(path, (input) => inIngest(receive, [`${partTarget}/${name}`, String(size)], { title, input }));
      }
      await inIngest(finish, [part, copy, copies]);
    } catch (error) {
      await inIngest('rm -rf "$1"', [part], { signal: uninterrupted }).catch(() => {});
      throw error;
    }
  });
  return target;
}

/** A copy that is used again counts as new. */
const isThere = 'if [ -d "$1" ]; then touch "$1"; echo there; fi';

const receive = `cat > "$1"
size=$(wc -c < "$1")
if [ "$size" -ne "$2" ]; then echo "$1 has $size bytes of $2: the file was changed meanwhile" >&2; exit 1; fi`;

/** A run that reads a copy ends within a day. */
const finish = `mv -T "$1" "$2" || [ -d "$2" ]
find "$3" -mindepth 1 -maxdepth 1 -mmin +1440 ! -path "$2" -exec rm -rf {} +`;

const digest = (parts: readonly string[]) => createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 12);

async function ingestContainer(): Promise<string> {
  const ingest = (await containers()).find(({ Service, State }) => Service === "ingest" && State === "running");
  if (ingest) return ingest.Name;
  throw new BoxError("ingest does not run, which copies the edition; start the box with ./box up");
}

/** The files in a directory that have one of the dataset's own names. */
function editionFiles(directory: string): EditionFile[] {
  const present = listed(directory);
  const names = Object.values(datasets).flatMap(({ files }) => files);
  const accepted = new Set(names.flatMap((name) => packings.map((packing) => name + packing)));
  const found = present.filter((name) => accepted.has(name));
  if (found.length > 0) return found.map((name) => editionFile(name, join(directory, name)));
  const expected = `${names.join(", ")}, each plain, .gz or .zip (upper and lower case matter)`;
  const others = present.slice(0, 20).join(", ") || "nothing";
  throw new BoxError(
    `${directory} has no file of an edition.\nExpected: ${expected}\nFound: ${others}`,
    exitCode.usage,
  );
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (cause) {
    throw unreadable(directory, "name a directory with the dataset's files, or `kaggle`", cause);
  }
}

function editionFile(name: string, path: string): EditionFile {
  try {
    const { size, mtimeNs } = statSync(path, { bigint: true });
    return { name, path, size, changed: mtimeNs };
  } catch (cause) {
    throw unreadable(path, "is it a link to a file that is gone?", cause);
  }
}

async function withOpen(path: string, work: (file: number) => Promise<unknown>): Promise<void> {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw unreadable(path, "make it readable for you", cause);
  }
  await work(file).finally(() => closeSync(file));
}

function unreadable(path: string, remedy: string, cause: unknown): BoxError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BoxError(`${path} cannot be read (${reason}); ${remedy}`, exitCode.usage, cause);
}
