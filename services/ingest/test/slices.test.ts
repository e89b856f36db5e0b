import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { bronzeSchema } from "@boxoffice/contracts/bronzeSchema";
import { type DatasetName, datasets, groupSlices } from "@boxoffice/contracts/dataset";
import { deadLetter } from "@boxoffice/contracts/deadLetter";
import { widened } from "@boxoffice/contracts/narrowSlice";
import { contractColumns } from "@boxoffice/contracts/recordReader";
import { partitions, sliceHeaders } from "@boxoffice/contracts/slice";
import { tableFromIPC } from "apache-arrow";
import { expect, test } from "vitest";
import type { Slice } from "../src/sliceCutter.ts";
import { type SliceMessage, sliceEncoder } from "../src/sliceEncoder.ts";
import { slices } from "../src/slices.ts";

const excerpt = (name: string) => new URL(`excerpt/${name}`, import.meta.url);

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

const loadId = "0123456789abcdef-v2";

async function* links(count: number, chunkLines = 1000): AsyncGenerator<Buffer> {
  yield Buffer.from("movieId,imdbId,tmdbId\r\n");
  for (let from = 1; from <= count; from += chunkLines) {
    const numbers = Array.from({ length: Math.min(chunkLines, count - from + 1) }, (_, at) => from + at);
    yield Buffer.from(numbers.map((n) => `${n},${n % 5000 === 0 ? "x,y" : n},${n % 3 === 0 ? "" : n}\r\n`).join(""));
  }
}

async function cut(text: AsyncIterable<Buffer>, dataset: DatasetName = "links"): Promise<Slice[]> {
  const found: Slice[] = [];
  for await (const slice of slices({ dataset, loadId, file: `${dataset}.csv`, text })) found.push(slice);
  return found;
}

async function messagesOf(text: AsyncIterable<Buffer>): Promise<SliceMessage[]> {
  const encode = sliceEncoder("links", loadId, datasets.links);
  return (await cut(text)).flatMap(encode);
}

test("slices have a fixed number of source records, groups a fixed number of slices, and the last is marked", async () => {
  const { sliceRecords } = datasets.movies;
  const header = contractColumns(datasets.movies).map(({ name }) => name);
  const movie = (id: number) => `${header.map((name) => (name === "id" ? id : "")).join(",")}\n`;
  const text = (async function* () {
    yield Buffer.from(`${header.join(",")}\n`);
    for (let id = 1; id <= sliceRecords * groupSlices + 5; id++) yield Buffer.from(movie(id));
  })();
  const found = await cut(text, "movies");
  const first = <T>(value: T) => Array.from({ length: groupSlices }, () => value);
  expect(found.map(({ rows }) => rows.length)).toEqual([...first(sliceRecords), 5]);
  expect(found.map(({ group }) => group)).toEqual([...first(0), 1]);
  expect(found.map(({ isLast }) => isLast)).toEqual([...first(false), true]);
});

test("a source that ends with a slice has no empty slice after it", async () => {
  const found = await cut(links(datasets.links.sliceRecords * 2));
  expect(found.map(({ isLast }) => isLast)).toEqual([false, true]);
});

test("the same text gives the same bytes, however it arrives, so a repeated load only repeats messages", async () => {
  const first = await messagesOf(links(20_000, 1000));
  const again = await messagesOf(links(20_000, 77));
  const hashed = ({ value, ...rest }: SliceMessage) => ({ ...rest, sha256: sha256(value) });
  expect(again.map(hashed)).toEqual(first.map(hashed));
  expect(first.map(({ topic }) => topic)).toEqual(["links", "dead-letters", "links", "dead-letters"]);
});

test("headers follow the contract, and the partition the group", async () => {
  const messages = await messagesOf(links(20_000));
  for (const { headers, partition, value, topic } of messages) {
    const parsed = sliceHeaders.parse(headers);
    expect(partition).toBe(parsed.group % partitions);
    expect(parsed).toMatchObject({ dataset: "links", load_id: loadId });
    const rows = topic === "links" ? tableFromIPC(value).numRows : value.toString().trimEnd().split("\n").length;
    expect(parsed.rows).toBe(rows);
  }
});

test("row numbers count rejected records, which are in the dead letters with their line and raw text", async () => {
  const [first] = await cut(links(10_001));
  const numbers = first?.rows.rowNumbers.subarray(0, first.rows.length);
  expect(numbers).not.toContain(5000);
  expect(numbers?.at(-1)).toBe(10_001);
  expect(first?.deadLetters.map((letter) => deadLetter.parse(letter))).toMatchObject([
    { id: `links.${loadId}.5000`, row_number: 5000, line: 5001, rule: "wrong_number_of_cells", raw: "5000,x,y,5000" },
    { id: `links.${loadId}.10000`, row_number: 10_000, line: 10_001, raw: "10000,x,y,10000" },
  ]);
});

test("a slice of nothing but bad records is still a message, so that its group can be completed", async () => {
  const text = (async function* () {
    yield Buffer.from("movieId,imdbId,tmdbId\nx,1,1\ny,2,2\n");
  })();
  const [rows, letters] = await messagesOf(text);
  expect(rows?.headers).toMatchObject({ rows: "0", last: "1" });
  expect(tableFromIPC(rows?.value).numRows).toBe(0);
  expect(letters?.headers.rows).toBe("2");
});

test("real movies come back from Arrow with the contract's columns, types and nulls", async () => {
  const text = createReadStream(excerpt("movies_metadata.csv"));
  const encode = sliceEncoder("movies", loadId, datasets.movies);
  const [slice] = await cut(text, "movies");
  if (!slice) throw new Error("no slice");
  const [message] = encode(slice);
  const table = widened(tableFromIPC(message?.value));
  expect(table.schema.fields.map(({ name }) => name)).toEqual([
    "row_number",
    ...contractColumns(datasets.movies).map(({ name }) => name),
  ]);
  expect(Object.fromEntries(table.schema.fields.map(({ name, type }) => [name, String(type)]))).toMatchObject({
    row_number: "Int32",
    id: "Int32",
    budget: "Float64",
    release_date: "Date32<DAY>",
    genres: "Utf8",
    title: "Utf8",
  });
  expect(table.get(0)?.toJSON()).toMatchObject({
    row_number: 1,
    id: 862,
    title: "Toy Story",
    budget: 30_000_000,
    revenue: 373_554_033,
    overview: null,
    release_date: Date.parse("1995-10-30"),
    genres: "[{'id': 16, 'name': 'Animation'}, {'id': 35, 'name': 'Comedy'}, {'id': 10751, 'name': 'Family'}]",
  });
  expect(slice.deadLetters).toHaveLength(2);
  expect(table.numRows + slice.deadLetters.length).toBe(320);
});

test("ratings take 16 bytes each on their way, and are in bronze's types there", async () => {
  const text = createReadStream(excerpt("ratings_small.csv"));
  const encode = sliceEncoder("ratings", loadId, datasets.ratings);
  const found = await cut(text, "ratings");
  const slice = tableFromIPC(found.flatMap(encode)[0]?.value);
  expect(slice.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
    "user_id Int32",
    "movie_id Int32",
    "rating Float32",
    "timestamp Uint32",
  ]);
  const table = widened(slice);
  expect(table.schema.fields).toEqual(bronzeSchema(datasets.ratings).fields);
  expect(table.get(0)?.toJSON()).toEqual({
    row_number: 1,
    user_id: 1,
    movie_id: 31,
    rating: 2.5,
    timestamp: 1_260_759_144n,
  });
});

test("what does not fit into fewer bytes keeps its own, and rows with a dead letter among them their numbers", async () => {
  const lines = ["1,1,0.5,4294967295", "2,1,1,4294967296", "x,1,1,1", "4,1,4.5,0"];
  const text = (async function* () {
    yield Buffer.from(`userId,movieId,rating,timestamp\n${lines.join("\n")}\n`);
  })();
  const [message] = (await cut(text, "ratings")).flatMap(sliceEncoder("ratings", loadId, datasets.ratings));
  const slice = tableFromIPC(message?.value);
  expect(slice.schema.fields.map(({ type }) => String(type))).toEqual(["Int32", "Int32", "Int32", "Float32", "Int64"]);
  expect(widened(slice).toArray().map(String)).toEqual(slice.toArray().map(String));
  expect(slice.toArray().map(({ row_number, timestamp }) => [row_number, timestamp])).toEqual([
    [1, 4_294_967_295n],
    [2, 4_294_967_296n],
    [4, 0n],
  ]);
});

test.each([
  ["links", "movieId,imdbId,tmdbId\r\n1,2,3\r\n"],
  ["links", '"movieId",imdbId,tmdbId,\n1,2,3,\n'],
  ["cpi", "\uFEFFDATE,CPIAUCSL\n1947-01-01,21.48\n"],
] as const)("the column names of %s are told once, as the source has them", async (dataset, content) => {
  const told: (readonly string[])[] = [];
  const text = (async function* () {
    yield Buffer.from(content);
  })();
  const found = slices({ dataset, loadId, file: "f.csv", text, onHeader: (header) => told.push(header) });
  for await (const { deadLetters } of found) expect(deadLetters).toEqual([]);
  const names = content
    .split(/\r?\n/)[0]
    ?.replace(/[\uFEFF"]/g, "")
    .split(",");
  expect(told).toEqual([names]);
});
