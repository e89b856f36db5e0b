import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatasetName } from "@boxoffice/contracts/dataset";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { kaggleSource } from "../src/sources/kaggle.ts";
import type { Source } from "../src/sources/source.ts";
import { sources } from "../src/sources/sources.ts";
import { excerptPath, excerptText, storedZip } from "./editions.ts";
import { patientContext } from "./engines.ts";
import { type Answer, file, type HttpSource, httpSource, redirect } from "./httpSource.ts";

const archive = await readFile(excerptPath("the-movies-dataset.zip"));
const etag = '"archive"';

let directory = "";
let store: HttpSource;
let api: HttpSource;
const opened: HttpSource[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "kaggle-"));
});
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
  await rm(directory, { recursive: true });
});

async function serve(...answers: Parameters<typeof httpSource>): Promise<void> {
  store = await httpSource(...answers);
  api = await httpSource(redirect(`${store.url}/archive.zip`));
  opened.push(store, api);
}

const settings = (more: Record<string, string> = {}) =>
  readConfig({
    S3_REGION: "us-east-1",
    S3_BUCKET: "lake",
    KAFKA_BROKERS: "none",
    HTTP_PORT: "0",
    EDITION: "kaggle",
    WORK_DIR: directory,
    KAGGLE_API_URL: `${api.url}/api/v1`,
    KAGGLE_TOKEN: "secret",
    ...more,
  });

const hasty = {
  failures: 4,
  firstDelayMilliseconds: 1,
  longestDelayMilliseconds: 5,
  longestRetryAfterMilliseconds: 1_000,
};

async function contentOf(source: Source, dataset: DatasetName): Promise<{ name: string; text: string }> {
  const { name, content } = await source.open(dataset, patientContext());
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return { name, text: Buffer.concat(chunks).toString() };
}

test("three datasets loaded at once share one download, cut and taken up, and each gets its file unchanged", async () => {
  await serve(file({ content: archive, etag, cutAfter: 10_000 }), file({ content: archive, etag }));
  const kaggle = kaggleSource(settings(), hasty);
  const found = await Promise.all([
    contentOf(kaggle, "movies"),
    contentOf(kaggle, "links"),
    contentOf(kaggle, "ratings"),
  ]);
  expect(found.map(({ name }) => name)).toEqual(["movies_metadata.csv", "links.csv", "ratings_small.csv"]);
  for (const { name, text } of found) expect(text).toBe(await excerptText(name));
  expect(store.requests).toHaveLength(2);
});

test("a load later on asks whether the archive changed, and does not bring it again", async () => {
  await serve(file({ content: archive, etag }));
  await contentOf(kaggleSource(settings()), "movies");
  await contentOf(kaggleSource(settings()), "links");
  expect(store.requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, etag]);
});

test("the token, or name and key, go to Kaggle and not to the host it redirects to", async () => {
  await serve(file({ content: archive, etag }));
  await contentOf(kaggleSource(settings()), "movies");
  const named = settings({ KAGGLE_TOKEN: "", KAGGLE_USERNAME: "ann", KAGGLE_KEY: "key" });
  await contentOf(kaggleSource(named), "movies");
  const basic = `Basic ${Buffer.from("ann:key").toString("base64")}`;
  expect(api.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer secret", basic]);
  expect(api.requests[0]?.path).toBe("/api/v1/datasets/download/rounakbanik/the-movies-dataset");
  expect(store.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
});

test("a page in place of the archive is refused, and not kept for the next load", async () => {
  const page = Buffer.from("<!doctype html><title>Sign in</title>");
  await serve(file({ content: page, etag }), file({ content: archive, etag }));
  const kaggle = kaggleSource(settings());
  await expect(contentOf(kaggle, "movies")).rejects.toMatchObject({
    code: "corrupt_zip",
    message: expect.stringContaining("no zip archive"),
  });
  expect((await contentOf(kaggle, "movies")).name).toBe("movies_metadata.csv");
});

test("an archive that was changed on its way is refused, and not kept for the next load", async () => {
  const links = "movieId,imdbId,tmdbId\n1,0114709,862\n";
  const whole = storedZip("links.csv", Buffer.from(links));
  const changed = Buffer.from(whole);
  changed.write("9", changed.indexOf("862"));
  await serve(file({ content: changed, etag }), file({ content: whole, etag }));
  const kaggle = kaggleSource(settings());
  await expect(contentOf(kaggle, "links")).rejects.toMatchObject({ code: "corrupt_zip" });
  expect(await contentOf(kaggle, "links")).toEqual({ name: "links.csv", text: links });
});

test("every loader of a download hears of its progress", async () => {
  await serve(file({ content: archive, etag }));
  const kaggle = kaggleSource(settings());
  const heard: string[] = [];
  const context = (name: string) =>
    patientContext((done, total, unit) => heard.push(`${name} ${done} ${total} ${unit}`));
  await Promise.all([kaggle.open("movies", context("movies")), kaggle.open("links", context("links"))]);
  const end = `${archive.length} ${archive.length} bytes downloaded`;
  expect(heard).toEqual(expect.arrayContaining([`movies ${end}`, `links ${end}`]));
});

test("a download that one load gives up goes on for the others, and ends with the last of them", async () => {
  let send = () => {};
  const held: Answer = (_request, response) => {
    response.writeHead(200, { etag, "content-length": archive.length }).write(archive.subarray(0, 1000));
    send = () => response.end(archive.subarray(1000));
  };
  await serve(held, held, held);
  const kaggle = kaggleSource(settings(), hasty);
  const [given, last] = [new AbortController(), new AbortController()];
  const open = (dataset: DatasetName, { signal }: AbortController) =>
    kaggle.open(dataset, { ...patientContext(), signal });
  const [movies, links] = [open("movies", given), open("links", last)];
  await expect.poll(() => store.requests).toHaveLength(1);
  given.abort(new Error("given up"));
  send();
  await expect(movies).rejects.toThrow("given up");
  expect((await links).name).toBe("links.csv");

  await rm(join(settings().WORK_DIR, "kaggle"), { recursive: true });
  const ratings = open("ratings", last);
  await expect.poll(() => store.requests).toHaveLength(2);
  last.abort(new Error("the last gave up"));
  const next = open("links", new AbortController());
  await expect(ratings).rejects.toThrow("the last gave up");
  await expect.poll(() => store.requests).toHaveLength(3);
  send();
  expect((await next).name).toBe("links.csv");
});

test("its fingerprint is the archive's tag, asked for without bringing it", async () => {
  await serve(file({ content: archive, etag }));
  const { signal } = new AbortController();
  expect(await kaggleSource(settings()).fingerprint("movies", undefined, signal)).toEqual({
    content: etag,
    quick: etag,
  });
  expect(store.requests.map(({ method }) => method)).toEqual(["HEAD"]);
});

test("the CPI is not on Kaggle: it comes from FRED", async () => {
  await serve(file({ content: archive, etag }));
  const fred = await httpSource(file({ content: Buffer.from("DATE,CPIAUCSL\n1947-01-01,21.48\n") }));
  opened.push(fred);
  const sourceOf = sources(settings({ FRED_URL: `${fred.url}/fredgraph.csv?id=CPIAUCSL` }));
  expect(await contentOf(sourceOf(undefined, "cpi"), "cpi")).toEqual({
    name: "CPIAUCSL.csv",
    text: "DATE,CPIAUCSL\n1947-01-01,21.48\n",
  });
  expect(fred.requests[0]?.path).toBe("/fredgraph.csv?id=CPIAUCSL");
});
