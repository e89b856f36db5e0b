import { type LiveRating, postedRating } from "@boxoffice/contracts/liveRating";
import { expect, test } from "vitest";
import { Random32 } from "../../scripts/random32.ts";
import { firstNewUser, newUsersRatings } from "../kit/newUsersRatings.ts";
import { newestOf } from "../kit/ratingDifferences.ts";

const movieIds = Array.from({ length: 50 }, (_none, at) => 1 + at);

function draw(seed: number, count = 3_000): LiveRating[] {
  const ratings = newUsersRatings(new Random32(seed), movieIds);
  return Array.from({ length: count }, () => ratings.next().value);
}

test("a seed repeats the ratings, and ingest takes each", () => {
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  for (const rating of draw(1)) expect(postedRating.parse(rating)).toEqual(rating);
  expect(Math.min(...draw(1).map(({ user_id }) => user_id))).toBe(firstNewUser);
});

test("every tenth changes the stars of one of before, and all others are of a user and movie of their own", () => {
  const drawn = draw(3);
  // The first four find none that is far enough before.
  const changes = drawn.length / 10 - 4;
  expect(newestOf(drawn)).toHaveLength(drawn.length - changes);
  const place = (rating: LiveRating) =>
    drawn.findIndex(({ user_id, movie_id }) => user_id === rating.user_id && movie_id === rating.movie_id);
  const changed = drawn.filter((rating, at) => place(rating) < at);
  expect(changed).toHaveLength(changes);
  for (const rating of changed) expect(drawn[place(rating)]?.rating).not.toBe(rating.rating);
});
