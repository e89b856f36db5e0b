import { expect, test } from "vitest";
import { areDeadLetters, liveEnds, writeLiveDeadLetter, writeLiveObject } from "../src/liveBronze.ts";
import { lake } from "./memoryLake.ts";

const rows = (...offsets: number[]) =>
  offsets.map((offset) => ({ offset, user_id: 1, movie_id: 1, rating: 3, timestamp: 100 }));
const noRating = (partition: number, offset: number) =>
  writeLiveDeadLetter(lake, { partition, offset, reason: "not JSON", raw: "{" });

test("a partition ends behind the last rating of its last object, also of its only one", async () => {
  await writeLiveObject(lake, 0, 0, rows(0, 1, 2));
  await writeLiveObject(lake, 2, 0, rows(0));
  await writeLiveObject(lake, 2, 1, rows(4, 7));
  expect(await liveEnds(lake)).toEqual([3, undefined, 8]);
});

test("what is left of a topic are dead letters only when every offset of it is one", async () => {
  await noRating(0, 2);
  await noRating(1, 5);
  await noRating(1, 7);
  expect(await areDeadLetters(lake, [3, 8], [3, 8])).toBe(true);
  expect(await areDeadLetters(lake, [2, 7], [3, 8])).toBe(true);
  expect(await areDeadLetters(lake, [2, 5], [3, 8])).toBe(false);
  expect(await areDeadLetters(lake, [], [1])).toBe(false);
  expect(await areDeadLetters(lake, [9], [3])).toBe(true);
});
