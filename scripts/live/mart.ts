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
