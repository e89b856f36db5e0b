import type { LiveRating } from "@boxoffice/contracts/liveRating";

/** How the ratings of a mart differ from those it should have. */
export interface RatingDifferences {
  /** Should be there and are not. */
  lost: number;
  /** Are there once more than they should, or though nobody posted them. */
  doubled: number;
  /** Are there with other stars or another time. */
  altered: number;
}

const keyOf = ({ user_id, movie_id }: LiveRating) => `${user_id}, ${movie_id}`;

/** Of the ratings of one user and movie the newest alone. */
export function newestOf(ratings: readonly LiveRating[]): LiveRating[] {
  const newest = new Map<string, LiveRating>();
  for (const rating of ratings) {
    const known = newest.get(keyOf(rating));
    if (known === undefined || rating.timestamp > known.timestamp) newest.set(keyOf(rating), rating);
  }
  return [...newest.values()];
}

/** Compares those that were found with those expected, of which each has a user and movie of its own. */
export function ratingDifferences(found: readonly LiveRating[], expected: readonly LiveRating[]): RatingDifferences {
  const missing = new Map(expected.map((rating) => [keyOf(rating), rating]));
  const differences: RatingDifferences = { lost: 0, doubled: 0, altered: 0 };
  for (const rating of found) {
    const wanted = missing.get(keyOf(rating));
    missing.delete(keyOf(rating));
    if (wanted === undefined) differences.doubled += 1;
    else if (wanted.rating !== rating.rating || wanted.timestamp !== rating.timestamp) differences.altered += 1;
  }
  return { ...differences, lost: missing.size };
}
