import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { crc32, createGunzip } from "node:zlib";
import { type Entry, openPromise } from "yauzl";
import { badSource, excerpt, listed } from "./badSource.ts";

/** The text of a source file, whatever it was packed in. */
export interface Unpacked {
  text: AsyncIterable<Buffer>;
  /** Bytes read so far of `bytes`. */
  read: () => number;
  bytes: number;
}

/** A local file and its size as it is packed; `file` is the name that errors tell. */
export interface PackedFile {
  file: string;
  path: string;
  bytes: number;
}

/** Unpacks gzip and zip, known by their first bytes and not by name. A zip must hold one of the names, or one CSV. */
export async function unpack(source: PackedFile, names: readonly string[]): Promise<Unpacked> {
  const magic = await firstBytes(source.path, 4);
  if (magic.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return gunzip(source);
  if (magic.toString("latin1") === "PK\x03\x04") return unzip(source, names);
  // Each chunk is waited for: of the default's, sixteen times as often.
  const stream = createReadStream(source.path, { highWaterMark: 1 << 20 });
  return { text: stream, read: () => stream.bytesRead, bytes: source.bytes };
}

async function firstBytes(path: string, count: number): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function gunzip(source: PackedFile): Unpacked {
  const packed = createReadStream(source.path);
  const unpacked = createGunzip();
  packed.on("error", (error) => unpacked.destroy(error));
  unpacked.on("close", () => packed.destroy());
  const text = explained(packed.pipe(unpacked), (cause) => {
    const isTruncated = cause instanceof Error && "code" in cause && cause.code === "Z_BUF_ERROR";
    return badSource(
      {
        code: isTruncated ? "truncated_gzip" : "corrupt_gzip",
        problem: `${source.file} is ${isTruncated ? "cut short" : "damaged"}: it cannot be unpacked to its end`,
        expected: "a whole gzip file",
        found: `${source.bytes} bytes; ${message(cause)}`,
        remedy: "fetch or copy the file again, and compare its size with the original's",
      },
      cause,
    );
  });
  return { text, read: () => packed.bytesRead, bytes: source.bytes };
}

async function unzip(source: PackedFile, names: readonly string[]): Promise<Unpacked> {
  const corrupt = (cause: unknown) =>
    badSource(
      {
        code: "corrupt_zip",
        problem: `${source.file} is damaged: it cannot be unpacked`,
        expected: "a whole zip archive",
        found: `${source.bytes} bytes; ${excerpt(message(cause))}`,
        remedy: "fetch or copy the file again, and compare its size with the original's",
      },
      cause,
    );
  const member = await openMember(source, names, corrupt);
  let read = 0;
  const counted = async function* () {
    for await (const chunk of explained(member.content, corrupt)) {
      read += chunk.length;
      yield chunk;
    }
  };
  return { text: counted(), read: () => read, bytes: member.bytes };
}

/** The member of an archive that is named, or its only CSV, as a stream; the archive closes with it. */
export async function openMember(
  source: Pick<PackedFile, "file" | "path">,
  names: readonly string[],
  corrupt: (cause: unknown) => Error,
): Promise<{ name: string; bytes: number; content: AsyncIterable<Buffer> }> {
  const archive = await openPromise(source.path, { lazyEntries: true, autoClose: false }).catch((cause: unknown) => {
    throw corrupt(cause);
  });
  try {
    const entries: Entry[] = [];
    for await (const entry of archive.eachEntry()) entries.push(entry);
    const entry = pick(entries, names);
    if (!entry) {
      throw badSource({
        code: "missing_in_zip",
        problem: `${source.file} does not hold the file that is needed`,
        expected: `one of ${listed(names)} in the archive`,
        found: listed(entries.map(({ fileName }) => fileName).toSorted(), 20),
        remedy: "put the CSV itself into the archive; save a spreadsheet (.xlsx) as CSV first",
      });
    }
    const content = await archive.openReadStreamPromise(entry);
    content.once("close", () => archive.close());
    return { name: basename(entry.fileName), bytes: entry.uncompressedSize, content: summed(content, entry) };
  } catch (error) {
    archive.close();
    throw error instanceof Error && error.name === "ServiceError" ? error : corrupt(error);
  }
}

function pick(entries: readonly Entry[], names: readonly string[]): Entry | undefined {
  for (const name of names) {
    const named = entries.find(({ fileName }) => basename(fileName) === name);
    if (named) return named;
  }
  const tables = entries.filter(({ fileName }) => fileName.endsWith(".csv") && !fileName.startsWith("__MACOSX/"));
  return tables.length === 1 ? tables[0] : undefined;
}

/** A member's chunks; an error after the last when they are not those that were packed. */
async function* summed(content: Readable, { fileName, crc32: stated }: Entry): AsyncGenerator<Buffer> {
  let sum = 0;
  for await (const chunk of content) {
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== stated) throw new Error(`${fileName} has another checksum (CRC-32) than the archive states`);
}

/** The stream's chunks; its failure as the error that explains it. */
export async function* explained(
  stream: AsyncIterable<Buffer>,
  explain: (cause: unknown) => Error,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield chunk;
  } catch (cause) {
    throw explain(cause);
  }
}

function message(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
