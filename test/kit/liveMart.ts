import type pg from "pg";
import { z } from "zod";

const sums = z.object({ ratings: z.number(), stars: z.string(), live: z.number() });

/** All ratings that the mart counts, their sum, and how many of them no run has read. */
export async function liveMart(warehouse: pg.Client): Promise<z.infer<typeof sums>> {
  const { rows } = await warehouse.query(
    `select sum(ratings)::int as ratings, sum(rating_sum) as stars, sum(live_ratings)::int as live
     from marts.movie_rating_live`,
  );
  return sums.parse(rows[0]);
}
