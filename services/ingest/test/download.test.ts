import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contentTag, type Download, download, type Patience } from "../src/sources/download.ts";
import { file, type HttpSource, httpSource, redirect, status } from "./httpSource.ts";

const hasty: Patience = {
  failures: 4,
  firstDelayMilliseconds: 1,
  longestDelayMilliseconds: 5,
  longestRetryAfterMilliseconds: 2_000,
};
const content = randomBytes(300_000);
const etag = '"one"';
const never = new AbortController().signal;

let directory = "";
const opened: HttpSource[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "download-"));
});
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
  await rm(directory, { recursive: true });
});

async function serve(...answers: Parameters<typeof httpSource>): Promise<HttpSource> {
  const server = await httpSource(...answers);
  opened.push(server);
  return server;
}

const path = () => join(directory, "file");
const bring = (url: string, more: Partial<Download> = {}) =>
  download({ url, path: path(), remedy: "look again", patience: hasty, signal: never, onBytes: () => {}, ...more });
const brought = () => readFile(path());
const ranges = (server: HttpSource) => server.requests.map(({ headers }) => headers.range);

test("a file is brought whole, with progress up to its length", async () => {
  const server = await serve(file({ content, etag }));
  const seen: (number | null)[][] = [];
  await bring(server.url, { onBytes: (...progress) => seen.push(progress) });
  expect((await brought()).equals(content)).toBe(true);
  expect(seen.at(-1)).toEqual([content.length, content.length]);
  expect(existsSync(`${path()}.part`)).toBe(false);
});

test("a connection cut midway is taken up where it was cut, as often as needed", async () => {
  const server = await serve(
    file({ content, etag, cutAfter: 100_000 }),
    file({ content, etag, cutAfter: 50_000 }),
    file({ content, etag }),
  );
  await bring(server.url);
  expect((await brought()).equals(content)).toBe(true);
  expect(ranges(server)[0]).toBeUndefined();
  const starts = ranges(server)
    .slice(1)
    .map((range) => Number(/\d+/.exec(range ?? "")?.[0]));
  expect(starts[0]).toBeGreaterThan(0);
  expect(starts[1]).toBeGreaterThanOrEqual(starts[0] ?? 0);
  expect(server.requests[1]?.headers["if-range"]).toBe(etag);
});

test("what an earlier process left unfinished is taken up", async () => {
  const server = await serve(file({ content, etag, cutAfter: 100_000 }));
  await expect(bring(server.url, { patience: { ...hasty, failures: 1 } })).rejects.toMatchObject({ retryable: true });
  const next = await serve(file({ content, etag }));
  await bring(next.url);
  expect((await brought()).equals(content)).toBe(true);
  expect(ranges(next)[0]).toMatch(/^bytes=\d+-$/);
});

test("a server that ignores Range sends all of it again, and nothing is doubled", async () => {
  const server = await serve(file({ content, etag, cutAfter: 100_000 }), file({ content, etag, ignoresRange: true }));
  await bring(server.url);
  expect((await brought()).equals(content)).toBe(true);
});

test("a file that changed between two parts is begun anew, not mixed", async () => {
  const changed = randomBytes(200_000);
  const server = await serve(file({ content, etag, cutAfter: 100_000 }), file({ content: changed, etag: '"two"' }));
  await bring(server.url);
  expect((await brought()).equals(changed)).toBe(true);
});

test("without an ETag nothing proves that the rest belongs to it, so it is begun anew", async () => {
  const server = await serve(file({ content, cutAfter: 100_000 }), file({ content }));
  await bring(server.url);
  expect(ranges(server)).toEqual([undefined, undefined]);
  expect((await brought()).equals(content)).toBe(true);
});

test("a server that has lost the rest (416) is asked for all of it", async () => {
  const server = await serve(file({ content, etag, cutAfter: 100_000 }), status(416), file({ content, etag }));
  await bring(server.url);
  expect(ranges(server)[2]).toBeUndefined();
  expect((await brought()).equals(content)).toBe(true);
});

test("another part than the one asked for is not used", async () => {
  const wrong: Parameters<typeof httpSource>[0] = (_request, response) =>
    response.writeHead(206, { "content-range": `bytes 0-9/${content.length}` }).end(content.subarray(0, 10));
  const server = await serve(file({ content, etag, cutAfter: 100_000 }), wrong, file({ content, etag }));
  await bring(server.url);
  expect((await brought()).equals(content)).toBe(true);
});

test("a file that is there and still the server's is not sent again", async () => {
  const server = await serve(file({ content, etag }));
  await bring(server.url);
  await bring(server.url);
  expect(server.requests[1]?.headers["if-none-match"]).toBe(etag);
  const forgetful = await serve(file({ content: randomBytes(300_000), etag, ignoresConditions: true }));
  await bring(forgetful.url);
  expect((await brought()).equals(content)).toBe(true);
});

test("a file that changed on the server replaces the one that is there", async () => {
  await bring((await serve(file({ content, etag }))).url);
  const changed = randomBytes(1_000);
  await bring((await serve(file({ content: changed, etag: '"two"' }))).url);
  expect((await brought()).equals(changed)).toBe(true);
});

test("a busy server (429) is asked again after the time it names", async () => {
  const server = await serve(status(429, { "retry-after": "1" }), status(503), file({ content, etag }));
  const started = performance.now();
  await bring(server.url);
  expect(performance.now() - started).toBeGreaterThan(950);
  expect(server.requests).toHaveLength(3);
});

test("a server that asks to wait too long is not waited for: the error says how long", async () => {
  const server = await serve(status(429, { "retry-after": "3600" }));
  await expect(bring(server.url)).rejects.toMatchObject({
    code: "download_failed",
    retryable: true,
    message: expect.stringContaining("429 Too Many Requests, and asks to wait 3600 s"),
  });
  expect(server.requests).toHaveLength(1);
});

test("a server that keeps failing (500) is given up after a few tries", async () => {
  const server = await serve(status(500));
  await expect(bring(server.url)).rejects.toMatchObject({
    code: "download_failed",
    retryable: true,
    message: expect.stringContaining("500 Internal Server Error (4 failures in a row)"),
  });
  expect(server.requests).toHaveLength(4);
});

test("a server that is not there is given up too", async () => {
  const server = await httpSource(status(200));
  await server.close();
  await expect(bring(server.url)).rejects.toMatchObject({ code: "download_failed", retryable: true });
});

test("a refusal (403) is final, and says what to do", async () => {
  const server = await serve(status(403));
  await expect(bring(server.url)).rejects.toMatchObject({
    code: "download_refused",
    retryable: false,
    message: expect.stringMatching(/403 Forbidden\n.*look again/),
  });
  expect(server.requests).toHaveLength(1);
});

test("a redirect is followed, and the token stays with the host it is for", async () => {
  const store = await serve(file({ content, etag }));
  const api = await serve(redirect(`${store.url}/signed?key=1`));
  await bring(api.url, { authorization: "Bearer secret" });
  expect((await brought()).equals(content)).toBe(true);
  expect(api.requests[0]?.headers.authorization).toBe("Bearer secret");
  expect(store.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
    ["/signed?key=1", undefined],
  ]);
});

test("a redirected download is taken up through the first address, as signed addresses expire", async () => {
  const store = await serve(file({ content, etag, cutAfter: 100_000 }), file({ content, etag }));
  const api = await serve(redirect(store.url));
  await bring(api.url);
  expect((await brought()).equals(content)).toBe(true);
  expect(api.requests).toHaveLength(2);
  expect(ranges(store)[1]).toMatch(/^bytes=\d+-$/);
});

test("stopping ends it at once", async () => {
  const server = await serve(() => {});
  const stop = new AbortController();
  const going = bring(server.url, { signal: stop.signal });
  stop.abort(new Error("stopping"));
  await expect(going).rejects.toThrow("stopping");
});

test("the tag of a content comes by HEAD, or by GET from a server that refuses HEAD", async () => {
  const server = await serve(file({ content, etag }));
  expect(await contentTag(server.url, undefined, "", never)).toBe(etag);
  expect(server.requests.map(({ method }) => method)).toEqual(["HEAD"]);
  const signed = await serve(status(403), file({ content, etag }));
  expect(await contentTag(signed.url, undefined, "", never)).toBe(etag);
  expect(await contentTag((await serve(file({ content }))).url, undefined, "", never)).toBeUndefined();
});
