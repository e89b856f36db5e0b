import type { LiveRating } from "@boxoffice/contracts/liveRating";
import type { Random32 } from "../../scripts/random32.ts";

/** No edition has a user from here on. */
export const firstNewUser = 1_000_000;

const ratingsOfUser = 20;
/** One of so many changes an earlier one. */
const changeEvery = 10;
/** Far enough that it is in another request. No multiple of `changeEvery`, so that nothing is changed twice. */
const changedBefore = 45;
const firstSecond = 1_700_000_000;

/**
 * Ratings by users whom no edition has, each of another user or movie but every tenth, which gives other stars where one
 * of before was given. Their times ascend, so the newest is the one drawn last, in whatever order they arrive.
 */
export function* newUsersRatings(random: Random32, movieIds: readonly number[]): Generator<LiveRating, never> {
  const drawn: LiveRating[] = [];
  for (let at = 0; ; at += 1) {
    const timestamp = firstSecond + at;
    const changed = at % changeEvery === changeEvery - 1 ? drawn[at - changedBefore] : undefined;
    const movie_id = movieIds[at % movieIds.length];
    if (movie_id === undefined) throw new Error("there are no movies to rate");
    const rating = changed
      ? { ...changed, rating: (changed.rating % 5) + 0.5, timestamp }
      : {
          user_id: firstNewUser + Math.floor(at / ratingsOfUser),
          movie_id,
          rating: (1 + random.below(10)) / 2,
          timestamp,
        };
    drawn.push(rating);
    yield rating;
  }
}
