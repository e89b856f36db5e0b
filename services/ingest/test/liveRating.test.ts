import { liveRating, postedRating, postedRatings } from "@boxoffice/contracts/liveRating";
import { ratingRecord } from "@boxoffice/contracts/ratings";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ZodError } from "zod";

const good = { user_id: 1, movie_id: 31, rating: 2.5, timestamp: 1_260_759_144 };

const problems = (error: ZodError | undefined) =>
  error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);

test("a rating that the bulk contract takes is taken, and with the same values", () => {
  expect(liveRating.parse(good)).toEqual(good);
  const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, -0, 0.5, 5, 5.5, 2 ** 31 - 1, 2 ** 31, 1e21));
  fc.assert(
    fc.property(number, number, number, number, (user_id, movie_id, rating, timestamp) => {
      const cells = { user_id, movie_id, rating, timestamp };
      const texts = Object.fromEntries(Object.entries(cells).map(([name, value]) => [name, String(value)]));
      const bulk = ratingRecord.safeParse(texts);
      const live = liveRating.safeParse(cells);
      expect(live.success).toBe(bulk.success);
      expect(live.data).toEqual(bulk.data);
    }),
  );
});

test("each field that is wrong is named with what was expected and what came", () => {
  const wrong = { user_id: 0, movie_id: 1.5, rating: 6, timestamp: -1 };
  expect(problems(postedRating.safeParse(wrong).error)).toEqual([
    "user_id: expected a positive integer up to 2147483647, got '0'",
    "movie_id: expected a positive integer up to 2147483647, got '1.5'",
    "rating: expected a number from 0.5 to 5, got '6'",
    "timestamp: expected whole seconds since 1970, got '-1'",
  ]);
  expect(problems(postedRating.safeParse({ ...good, rating: null }).error)).toEqual([
    "rating: Invalid input: expected number, received null",
  ]);
  expect(problems(postedRating.safeParse({ ...good, stars: 3 }).error)).toEqual([': Unrecognized key: "stars"']);
});

test("a posted rating may leave out its time only, and a batch is neither empty nor longer than a thousand", () => {
  const { timestamp: _, ...timeless } = good;
  expect(postedRating.parse(timeless)).toEqual(timeless);
  expect(liveRating.safeParse(timeless).success).toBe(false);
  expect(postedRatings.safeParse([]).success).toBe(false);
  expect(postedRatings.safeParse(Array(1_000).fill(timeless)).success).toBe(true);
  expect(postedRatings.safeParse(Array(1_001).fill(timeless)).success).toBe(false);
});
