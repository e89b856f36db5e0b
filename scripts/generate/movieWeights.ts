import type { ObservedRatings } from "./observedRatings.ts";

/**
 * How flat the tail of movies without an observed rating is. With this, 26,024,289 ratings reach about as many movies
 * as the published file's do.
 */
const tailFlatness = 1_700;

/**
 * How likely a rating is of each movie, relative to the others. Movies without an observed rating get what absolute
 * discounting takes from the observed ones, and share it as a long tail. A user rates a movie once, so that the more users
 * rate it the more draws are in vain: the weight is the odds that a user has rated it, not the share of the users.
 */
export function movieWeights({ ofMovie: movies, ofUser }: ObservedRatings): number[] {
  const moviesWith = (count: number) => movies.filter(({ ratings }) => ratings === count).length;
  const discount = moviesWith(1) / (moviesWith(1) + 2 * moviesWith(2));
  const unseen = movies
    .filter(({ ratings }) => ratings === 0)
    .map(({ movieId }) => ({ movieId, place: scattered(movieId) }))
    .sort((a, b) => a.place - b.place || a.movieId - b.movieId);
  const tail = new Map(
    unseen.map(({ movieId }, rank) => [movieId, 1 / ((rank + tailFlatness) * (rank + tailFlatness))]),
  );
  const tailSum = [...tail.values()].reduce((sum, weight) => sum + weight, 0);
  const taken = discount * (movies.length - unseen.length);
  return movies.map(({ movieId, ratings }) =>
    ratings > 0
      ? (ratings - discount) / (1 - ratings / (ofUser.length + 1))
      : ((tail.get(movieId) ?? 0) / tailSum) * taken,
  );
}

/** A number that looks unrelated to the id, so that the tail is spread over all ids (the finalizer of MurmurHash3). */
function scattered(movieId: number): number {
  let mixed = Math.imul(movieId ^ (movieId >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
