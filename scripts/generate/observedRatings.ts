import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

/** What generated ratings imitate, counted in the bundled edition. */
export interface ObservedRatings {
  /** Ratings of 0.5, 1.0 ... 5.0 stars. */
  ofStars: readonly number[];
  /** Ratings of each user. */
  ofUser: readonly number[];
  /** Of each user the first rating, in seconds since 1970 UTC. */
  firstTimes: readonly number[];
  /** Ratings of each movie of links.csv, in the order of the ids; most have none. */
  ofMovie: readonly { movieId: number; ratings: number }[];
}

/** Counts ratings_small.csv.gz and links.csv.gz of an edition. */
export async function observedRatings(edition: string): Promise<ObservedRatings> {
  const ofStars = Array.from({ length: 10 }, () => 0);
  const ofUser = new Map<number, number>();
  const firstTimes = new Map<number, number>();
  const ratingsOf = new Map<number, number>();
  for (const [userId = 0, movieId = 0, rating = 0, time = 0] of await numbers(join(edition, "ratings_small.csv.gz"))) {
    const halfStars = rating * 2 - 1;
    ofStars[halfStars] = (ofStars[halfStars] ?? 0) + 1;
    ofUser.set(userId, (ofUser.get(userId) ?? 0) + 1);
    firstTimes.set(userId, Math.min(firstTimes.get(userId) ?? time, time));
    ratingsOf.set(movieId, (ratingsOf.get(movieId) ?? 0) + 1);
  }
  const movieIds = (await numbers(join(edition, "links.csv.gz"))).map(([movieId = 0]) => movieId);
  return {
    ofStars,
    ofUser: [...ofUser.values()],
    firstTimes: [...firstTimes.values()],
    ofMovie: [...new Set(movieIds)]
      .sort((a, b) => a - b)
      .map((movieId) => ({ movieId, ratings: ratingsOf.get(movieId) ?? 0 })),
  };
}

/** The records of a file whose cells are numbers without quotes. */
async function numbers(path: string): Promise<number[][]> {
  const text = (await promisify(gunzip)(await readFile(path))).toString();
  const [, ...lines] = text.trimEnd().split(/\r?\n/);
  return lines.map((line) => line.split(",").map(Number));
}
