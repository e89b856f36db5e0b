import { z } from "zod";
import { datasetName } from "./dataset.ts";

const count = z.number().int().nonnegative();
const figure = z.number().nullable();

const ranked = z.object({
  c: z.number(),
  m: z.number(),
  qualified: count,
  movies: z.array(
    z.object({
      tmdb_id: count,
      title: z.string().nullable(),
      year: count.nullable(),
      votes: count,
      mean: z.number(),
      weighted: z.number(),
    }),
  ),
});

const timing = {
  movies: count,
  mean_revenue: figure,
  median_revenue: figure,
  adjustable: count,
  mean_revenue_real: figure,
  median_revenue_real: figure,
};

const test = z.object({ h: figure, df: count, n: count, p: figure, log10_p: figure, epsilon_squared: figure });

/** The document of `./box answers --json`. Money in US dollars, real money in dollars of `base_month`. */
export const answers = z.object({
  edition: z.string(),
  run_id: z.string(),
  base_month: z.string().nullable(),
  highest_rated: z.object({ tmdb: ranked, movielens: ranked }),
  popular_genres: z.array(
    z.object({
      genre: z.string(),
      ratings: count,
      users: count,
      mean_rating: figure,
      movies: count,
      tmdb_votes: count,
    }),
  ),
  release_timing: z.object({
    months: z.array(z.object({ month: z.number().int().min(1).max(12), ...timing })),
    quarters: z.array(z.object({ quarter: z.number().int().min(1).max(4), ...timing })),
    tests: z.object({ month: test, quarter: test }),
  }),
  genre_revenue: z.array(
    z.object({
      genre: z.string(),
      movies: count,
      revenue: z.number(),
      median_revenue: figure,
      not_adjustable: count,
      revenue_real: figure,
      median_revenue_real: figure,
    }),
  ),
  counts: z.record(
    datasetName,
    z.object({
      source_rows: count,
      dead_letters: count,
      bronze: count,
      silver: count,
      dropped: z.record(z.string(), count),
      /** Records that were repaired: silver = bronze + repaired - dropped. Left out where there are none. */
      repaired: count.optional(),
    }),
  ),
});
export type Answers = z.infer<typeof answers>;
