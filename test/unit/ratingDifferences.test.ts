import { expect, test } from "vitest";
import { newestOf, ratingDifferences } from "../kit/ratingDifferences.ts";

const rated = (user_id: number, movie_id: number, rating: number, timestamp: number) => ({
  user_id,
  movie_id,
  rating,
  timestamp,
});
const expected = [rated(1, 1, 3, 10), rated(1, 2, 4, 11), rated(2, 1, 5, 12)];

test("the same ratings in another order differ in nothing", () => {
  expect(ratingDifferences(expected.toReversed(), expected)).toEqual({ lost: 0, doubled: 0, altered: 0 });
});

test("one that is missing, one that is there twice, one that nobody posted and one with other stars are told apart", () => {
  const [first = rated(0, 0, 0, 0), second = rated(0, 0, 0, 0)] = expected;
  expect(ratingDifferences([first, second], expected)).toEqual({ lost: 1, doubled: 0, altered: 0 });
  expect(ratingDifferences([...expected, first], expected)).toEqual({ lost: 0, doubled: 1, altered: 0 });
  expect(ratingDifferences([...expected, rated(9, 9, 1, 1)], expected)).toEqual({ lost: 0, doubled: 1, altered: 0 });
  const others = [rated(1, 1, 2.5, 10), rated(1, 2, 4, 99), rated(2, 1, 5, 12)];
  expect(ratingDifferences(others, expected)).toEqual({ lost: 0, doubled: 0, altered: 2 });
});

test("of the ratings of one user and movie the newest is expected, in whatever order they were acknowledged", () => {
  expect(newestOf([rated(1, 1, 3, 20), rated(1, 1, 4, 10), rated(1, 2, 4, 11)])).toEqual([
    rated(1, 1, 3, 20),
    rated(1, 2, 4, 11),
  ]);
});
