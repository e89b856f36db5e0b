/**
 * Makes the bundled edition: real data, facts only, small enough to commit.
 *
 *   tsx scripts/edition/make.ts --from <directory> --out data/edition
 *
 * The source directory holds `the-movies-dataset/` and `fred/` as downloaded. The same
 * sources give the same bytes with the same Node; another build of zlib may pack the same
 * content differently, so compare unpacked contents across machines.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";

const MOVIE_RECORDS = 45_466;
const FRAGMENT_PAIRS = 3;

const MOVIE_COLUMNS = [
  "adult",
  "belongs_to_collection",
  "budget",
  "genres",
  "homepage",
  "id",
  "imdb_id",
  "original_language",
  "original_title",
  "overview",
  "popularity",
  "poster_path",
  "production_companies",
  "production_countries",
  "release_date",
  "revenue",
  "runtime",
  "spoken_languages",
  "status",
  "tagline",
  "title",
  "video",
  "vote_average",
  "vote_count",
];

/** Texts, links, posters, companies: not facts about the movie, or not ours to pass on. */
const EMPTIED = new Set([
  "belongs_to_collection",
  "homepage",
  "overview",
  "poster_path",
  "production_companies",
  "production_countries",
  "spoken_languages",
  "tagline",
]);

/** A stray line break splits three records inside this cell; each half keeps a part of it. */
const SPLIT_AT = MOVIE_COLUMNS.indexOf("overview");
const HEAD_COLUMNS = MOVIE_COLUMNS.slice(0, SPLIT_AT + 1);
const TAIL_COLUMNS = MOVIE_COLUMNS.slice(SPLIT_AT);

/** Shipped as they are, byte for byte, line ends included. */
const UNCHANGED = ["the-movies-dataset/links.csv", "the-movies-dataset/ratings_small.csv", "fred/CPIAUCSL.csv"];

function readRecords(csv: Buffer | string): string[][] {
  return parse(csv, { relax_column_count: true });
}

/** Which columns a record's cells belong to: a whole record, or one half of a split one. */
function columnsOf(record: string[], row: number): string[] {
  for (const columns of [MOVIE_COLUMNS, HEAD_COLUMNS, TAIL_COLUMNS]) {
    if (record.length === columns.length) return columns;
  }
  throw new Error(
    `movies_metadata.csv, record ${row}: ${record.length} cells; expected ` +
      `${MOVIE_COLUMNS.length}, or ${HEAD_COLUMNS.length} and ${TAIL_COLUMNS.length} for the halves of a split record`,
  );
}

/** The same records in the same order, dirt included, with the cells that are not facts emptied. */
function factsOnly(csv: Buffer | string): string {
  const [header, ...records] = readRecords(csv);
  if (header?.join() !== MOVIE_COLUMNS.join()) {
    throw new Error(
      `movies_metadata.csv: expected the columns ${MOVIE_COLUMNS.join()}; found ${header?.join() ?? "nothing"}`,
    );
  }
  const facts = records.map((record, index) => {
    const columns = columnsOf(record, index + 1);
    return record.map((cell, at) => (EMPTIED.has(columns[at] ?? "") ? "" : cell));
  });
  const text = stringify([header, ...facts], { record_delimiter: "\n" });
  checkShape(text, records);
  return text;
}

/** The output read back must have every record with its number of cells, in place. */
function checkShape(text: string, source: string[][]): void {
  const written = readRecords(text).slice(1);
  if (written.length !== MOVIE_RECORDS || source.length !== MOVIE_RECORDS) {
    throw new Error(
      `movies_metadata.csv: expected ${MOVIE_RECORDS} records; read ${source.length}, wrote ${written.length}`,
    );
  }
  let pairs = 0;
  written.forEach((record, index) => {
    if (record.length !== source[index]?.length) {
      throw new Error(`movies_metadata.csv, record ${index + 1}: its number of cells changed`);
    }
    if (record.length === HEAD_COLUMNS.length) {
      const tail = written[index + 1];
      if (tail?.length !== TAIL_COLUMNS.length) {
        throw new Error(`movies_metadata.csv, record ${index + 1}: a head without its tail`);
      }
      pairs += 1;
    }
  });
  if (pairs !== FRAGMENT_PAIRS) {
    throw new Error(`movies_metadata.csv: expected ${FRAGMENT_PAIRS} split records; found ${pairs}`);
  }
}

/** Gzip that depends on the content alone: no time of making, no operating system. */
function pack(content: Buffer | string): Buffer {
  const packed = gzipSync(content, { level: 9 });
  packed.writeUInt32LE(0, 4); // modification time: none
  packed.writeUInt8(255, 9); // operating system: unknown
  return packed;
}

async function writePacked(out: string, name: string, content: Buffer | string): Promise<number> {
  const packed = pack(content);
  await writeFile(join(out, `${name}.gz`), packed);
  const sha256 = createHash("sha256").update(packed).digest("hex");
  console.log(`${name}.gz  ${packed.length} bytes  sha256 ${sha256}`);
  return packed.length;
}

async function make(from: string, out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  const movies = await readFile(join(from, "the-movies-dataset/movies_metadata.csv"));
  let total = await writePacked(out, "movies_metadata.csv", factsOnly(movies));
  for (const path of UNCHANGED) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    total += await writePacked(out, name, await readFile(join(from, path)));
  }
  console.log(`${total} bytes in all`);
}

const { values } = parseArgs({
  options: { from: { type: "string" }, out: { type: "string" } },
});
if (values.from === undefined || values.out === undefined) {
  console.error("usage: tsx scripts/edition/make.ts --from <directory> --out data/edition");
  process.exitCode = 2;
} else {
  await make(values.from, values.out);
}
