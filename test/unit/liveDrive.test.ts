import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { type PostedRating, postedRating } from "@boxoffice/contracts/liveRating";
import { Pool } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { Draw } from "../../scripts/live/draw.ts";
import { drive, type LiveOptions } from "../../scripts/live/drive.ts";

const movies = (count: number) =>
  Array.from({ length: count }, (_none, at) => ({ movie_id: at + 1, tmdb_id: 1_000 + at }));
const body = z.union([postedRating.transform((one) => [one]), z.array(postedRating)]);

let server: Server;
let ingest: Pool;
/** What ingest answers; undefined: never. */
let status: number | undefined;
/** Whether the loader writes what came. */
let isLoading: boolean;
/** How often each rating comes into the mart. */
let copies: number;
/** Whether a rating comes into the mart although ingest answers with an error. */
let isTakenAllTheSame: boolean;
let arrived: PostedRating[];
let refusals: number;
/** How many of those that arrived the loader has written. */
let written: number;
let stop: AbortController;

beforeEach(async () => {
  status = 202;
  isLoading = true;
  copies = 1;
  isTakenAllTheSame = false;
  arrived = [];
  refusals = 0;
  written = 0;
  stop = new AbortController();
  server = createServer(async (request, response) => {
    const ratings = body.parse(await json(request));
    if (status === 202 || isTakenAllTheSame) arrived.push(...ratings);
    if (status === undefined) return;
    if (status !== 202) refusals += ratings.length;
    response.writeHead(status).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ingest = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  await ingest.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** What a mart would count. */
async function counts(tmdbIds?: readonly number[]): Promise<Map<number, number>> {
  if (isLoading) written = arrived.length;
  const found = new Map<number, number>();
  for (const { movie_id } of arrived.slice(0, written)) {
    const tmdbId = 999 + movie_id;
    if (tmdbIds?.includes(tmdbId) ?? true) found.set(tmdbId, (found.get(tmdbId) ?? 0) + copies);
  }
  return found;
}

/** The places in a list of those ratings that a warehouse would have. */
async function placesOfKnown(ratings: readonly PostedRating[]): Promise<Set<number>> {
  const known = new Set(arrived.slice(0, written).map(identity));
  return new Set(ratings.flatMap((rating, place) => (known.has(identity(rating)) ? [place] : [])));
}

const identity = ({ user_id, movie_id, timestamp }: PostedRating) => [user_id, movie_id, timestamp].join();

function begin(options: Partial<LiveOptions>, ofMovies = 20) {
  const draw = new Draw({ seed: 1, users: [1, 2, 3], movies: movies(ofMovies), given: async () => new Set() });
  const all = { rate: 100, batch: 1, seed: 1, signal: stop.signal, patienceMilliseconds: 5_000, ...options };
  return drive({ draw, ingest, counts, placesOfKnown }, all);
}

test("every rating of the time is sent and seen, in single requests or in batches that the time cuts short", async () => {
  const whole = { acknowledged: 100, visible: 100, missing: 0, doubled: 0, refused: {}, not_sent: {} };
  expect(await begin({ seconds: 1 }, 1_000)).toMatchObject({ sent: 100, ...whole });
  expect(await begin({ seconds: 1, batch: 8 }, 1_000)).toMatchObject({ sent: 100, ...whole });
});

test("with a dead loader it ends by the clock all the same, and says what was not sent for want of a movie", async () => {
  isLoading = false;
  const began = performance.now();
  const report = await begin({ seconds: 1, patienceMilliseconds: 300 });
  expect(performance.now() - began).toBeLessThan(4_000);
  expect(report).toMatchObject({ sent: 20, acknowledged: 20, visible: 0, missing: 20, doubled: 0 });
  expect(report.not_sent).toEqual({ no_movie_free: 80 });
});

test("without an end it goes on when the loader is back after all movies were taken, and misses none", async () => {
  isLoading = false;
  const ended = begin({});
  await expect.poll(() => arrived.length).toBe(20);
  isLoading = true;
  await expect.poll(() => arrived.length, { timeout: 10_000 }).toBeGreaterThan(60);
  stop.abort();
  const report = await ended;
  expect(report).toMatchObject({ missing: 0, doubled: 0, visible: report.sent });
});

test("a movie whose rating was refused is free again: nothing of it was taken", async () => {
  status = 429;
  const { sent, refused, not_sent, missing } = await begin({ seconds: 1 }, 50);
  expect(sent).toBeGreaterThan(50);
  expect({ refused, missing }).toEqual({ refused: { "429": sent }, missing: 0 });
  expect(sent + (not_sent.no_movie_free ?? 0)).toBe(100);
});

test("a movie whose rating may have been taken is drawn again only later, and only when no other is free", async () => {
  status = 503;
  const ended = begin({ patienceMilliseconds: 1_000 });
  const began = performance.now();
  await expect.poll(() => refusals).toBe(20);
  status = 202;
  await expect.poll(() => arrived.length, { timeout: 10_000 }).toBeGreaterThan(60);
  expect(performance.now() - began).toBeGreaterThan(1_000);
  stop.abort();
  const report = await ended;
  expect(report.refused).toEqual({ "503": 20 });
  expect(report).toMatchObject({ missing: 0, doubled: 0 });
});

test("requests that are never answered are given up after the time, as ratings that may have come", async () => {
  status = undefined;
  const report = await begin({ seconds: 1, patienceMilliseconds: 300 });
  expect(report).toMatchObject({ sent: 20, acknowledged: 0, refused: { none: 20 }, not_sent: { no_movie_free: 80 } });
});

test("a rating that the mart counts twice is told", async () => {
  copies = 2;
  const report = await begin({ seconds: 1, rate: 10 });
  expect(report).toMatchObject({ acknowledged: 10, visible: 10, doubled: 10 });
});

test("a rating that the mart counts twice is told, though as many requests failed of which nothing came", async () => {
  status = 503;
  const ended = begin({ seconds: 1 }, 1_000);
  await expect.poll(() => refusals).toBeGreaterThan(30);
  copies = 2;
  status = 202;
  const report = await ended;
  expect(report.acknowledged).toBeGreaterThan(0);
  expect(report.doubled).toBe(report.acknowledged);
});

test("a rating whose request failed may be there once, and not twice", async () => {
  status = 503;
  isTakenAllTheSame = true;
  expect(await begin({ seconds: 1, rate: 10 })).toMatchObject({ acknowledged: 0, refused: { "503": 10 }, doubled: 0 });
  arrived = [];
  copies = 2;
  expect(await begin({ seconds: 1, rate: 10 })).toMatchObject({ acknowledged: 0, refused: { "503": 10 }, doubled: 10 });
});

test("one that came though its request failed is no copy of the next one of its movie", async () => {
  status = 503;
  isTakenAllTheSame = true;
  const ended = begin({ patienceMilliseconds: 1_000 });
  await expect.poll(() => refusals).toBe(20);
  status = 202;
  await expect.poll(() => arrived.length, { timeout: 10_000 }).toBeGreaterThan(60);
  stop.abort();
  const report = await ended;
  expect(report).toMatchObject({ missing: 0, doubled: 0, visible: report.sent - 20 });
});
