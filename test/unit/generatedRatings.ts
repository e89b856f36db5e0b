import { rootPath } from "../../scripts/boxHome.ts";
import { observedRatings } from "../../scripts/generate/observedRatings.ts";
import { RatingsCsv, type RatingsShape } from "../../scripts/generate/ratingsCsv.ts";

export const observed = await observedRatings(rootPath("data", "edition"));

/** A whole generated file as text. */
export function generatedCsv(ratings: number, seed = 1, lineEnd: RatingsShape["lineEnd"] = "\n"): string {
  const csv = new RatingsCsv({ ratings, seed, lineEnd, observed });
  return Array.from(csv.chunks(), (chunk) => chunk.toString()).join("");
}

export interface Rating {
  userId: number;
  movieId: number;
  stars: number;
  second: number;
}

/** The records behind the header. */
export function ratingsIn(csv: string): Rating[] {
  const [, ...lines] = csv.trimEnd().split(/\r?\n/);
  return lines.map((text) => {
    const [userId = 0, movieId = 0, stars = 0, second = 0] = text.split(",").map(Number);
    return { userId, movieId, stars, second };
  });
}

/** How many ratings each value has. */
export function counted(values: Iterable<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
