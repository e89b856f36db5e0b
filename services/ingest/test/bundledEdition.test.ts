import { widened } from "@boxoffice/contracts/narrowSlice";
import { deadLetterTopic } from "@boxoffice/contracts/slice";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Engines, startEngines } from "./engines.ts";

const edition = new URL("../../../data/edition", import.meta.url).pathname;

let engines: Engines;
beforeAll(async () => {
  engines = await startEngines();
});
afterAll(() => engines?.close());

test("the bundled edition has 45,466 movie records and exactly six dead letters", async () => {
  const full = { full_refresh: true };
  const movies = await engines.load("movies", edition, full);
  expect(movies).toMatchObject({ source_rows: 45_466, rows: 45_460, dead_letters: 6 });
  const published = await engines.published("movies", movies.load_id);
  const letters = published.filter(({ topic }) => topic === deadLetterTopic);
  expect(letters.flatMap(({ value }) => value.toString().trimEnd().split("\n"))).toHaveLength(6);
  const numbers = published
    .filter(({ topic }) => topic === "movies")
    .flatMap(({ value }) => [...(widened(tableFromIPC(value)).getChild("row_number") ?? [])]);
  expect(new Set(numbers).size).toBe(45_460);

  expect(await engines.load("links", edition, full)).toMatchObject({ source_rows: 45_843, dead_letters: 0 });
  expect(await engines.load("ratings", edition, full)).toMatchObject({ source_rows: 100_004, dead_letters: 0 });
  expect(await engines.load("cpi", edition, full)).toMatchObject({ dead_letters: 0 });
}, 180_000);
