import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

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
