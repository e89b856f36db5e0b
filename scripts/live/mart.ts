import type { LiveRating } from "@boxoffice/contracts/liveRating";
import type pg from "pg";

/**
 * How many ratings the mart counts of each movie; of all that have any, or of those asked for. Not a prepared
 * statement: Postgres would plan it for a few movies, and be slow for hundreds.
 */
export async function martCounts(warehouse: pg.Client, tmdbIds?: readonly number[]): Promise<Map<number, number>> {
  const { rows } = await warehouse.query<{ tmdb_id: number; ratings: string }>(
    `select tmdb_id, ratings from marts.movie_rating_live${tmdbIds ? " where tmdb_id = any($1)" : ""}`,
    tmdbIds ? [tmdbIds] : [],
  );
  return new Map(rows.map(({ tmdb_id, ratings }) => [tmdb_id, Number(ratings)]));
}

/** The places in a list of ratings, by user, MovieLens movie and time, of those that the warehouse has. */
export async function placesOfKnown(warehouse: pg.Client, ratings: readonly LiveRating[]): Promise<Set<number>> {
  const { rows } = await warehouse.query<{ place: number }>(
    `select sent.place::int as place
     from unnest($1::int[], $2::int[], $3::bigint[]) with ordinality as sent (user_id, movie_id, seconds, place)
     cross join lateral (select to_timestamp(sent.seconds) at time zone 'utc' as rated_at) as moment
     where exists (
         select from live.ratings as known
         where known.user_id = sent.user_id and known.movie_id = sent.movie_id and known.rated_at = moment.rated_at
       ) or exists (
         select from marts.fact_rating as facts
         where facts.user_id = sent.user_id and facts.movie_id = sent.movie_id and facts.rated_at = moment.rated_at
       )`,
    [
      ratings.map(({ user_id }) => user_id),
      ratings.map(({ movie_id }) => movie_id),
      ratings.map(({ timestamp }) => timestamp),
    ],
  );
  return new Set(rows.map(({ place }) => place - 1));
}
