import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** A file of the excerpt in this folder. */
export function excerptPath(name: string): string {
  return new URL(`excerpt/${name}`, import.meta.url).pathname;
}

export async function excerptText(name: string): Promise<string> {
  return readFile(excerptPath(name), "utf8");
}

/** A directory with these files, in a new folder below the given one. */
export async function editionOf(below: string, files: Record<string, string | Buffer>): Promise<string> {
  const directory = join(below, `edition-${randomUUID()}`);
  await mkdir(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return directory;
}

/** A zip archive of one file that is stored as it is, not compressed. */
export function storedZip(name: string, content: Buffer): Buffer {
  const facts = Buffer.alloc(26);
  facts.writeUInt32LE(crc32(content), 10);
  facts.writeUInt32LE(content.length, 14);
  facts.writeUInt32LE(content.length, 18);
  facts.writeUInt16LE(name.length, 22);
  const member = Buffer.concat([Buffer.from("PK\x03\x04"), facts, Buffer.from(name), content]);
  const entry = Buffer.concat([Buffer.from("PK\x01\x02\0\0"), facts, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(member.length, 16);
  return Buffer.concat([member, entry, end]);
}

/** Movies like the excerpt's, that no other test has: the bytes, and so the load, are unique. */
export async function uniqueMovies(): Promise<string> {
  return (await excerptText("movies_metadata.csv")).replace("Toy Story", `Toy Story ${randomUUID()}`);
}

/** Links that no other test has; repeating the text makes them as large as a test needs. */
export function uniqueLinks(count = 3, repeats = 1): string {
  const mark = randomUUID().repeat(repeats);
  const rows = Array.from({ length: count }, (_, at) => `${at + 1},${mark},${at + 1}\n`);
  return `movieId,imdbId,tmdbId\n${rows.join("")}`;
}
