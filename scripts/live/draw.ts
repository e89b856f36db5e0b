import type { PostedRating } from "@boxoffice/contracts/liveRating";
import type pg from "pg";
import { BoxError } from "../boxError.ts";
import { Random32 } from "../random32.ts";

/** A rating to post, and the movie whose count must rise by one for it. */
export interface DrawnRating {
  tmdbId: number;
  rating: PostedRating;
}

interface Movie {
  movie_id: number;
  tmdb_id: number;
}

const usersSampled = 200_000;

export interface DrawParts {
  seed: number;
  users: readonly number[];
  movies: readonly Movie[];
  /** The movies (TMDB ids) of those ratings that were given before. */
  given: (drawn: readonly DrawnRating[]) => Promise<Set<number>>;
}

/**
 * Ratings by users of the published ratings, of movies of the published links, that nobody has given before. Of each
 * movie one is under way at a time, so its count tells when that one is seen.
 */
export class Draw {
  readonly #parts: DrawParts;
  readonly #random: Random32;
  readonly #taken = new Set<number>();

  constructor(parts: DrawParts) {
    this.#parts = parts;
    this.#random = new Random32(parts.seed);
  }

  /** Draws from what a warehouse has published, which stays the caller's to end. Throws when no run is published. */
  static async open(warehouse: pg.Client, seed: number): Promise<Draw> {
    const users = await warehouse.query<{ user_id: number }>(
      "select distinct user_id from (select user_id from marts.fact_rating limit $1) as sample order by user_id",
      [usersSampled],
    );
    const movies = await warehouse.query<Movie>(
      "select distinct on (tmdb_id) movie_id, tmdb_id from marts.bridge_movielens_movie order by tmdb_id, movie_id",
    );
    if (users.rows.length === 0 || movies.rows.length === 0)
      throw new BoxError("no run with ratings and links has been published yet; ./box run makes one");
    return new Draw({
      seed,
      users: users.rows.map(({ user_id }) => user_id),
      movies: movies.rows,
      given: (drawn) => givenBefore(warehouse, drawn),
    });
  }

  /** Up to so many ratings, fewer when hardly a movie is free. */
  async some(count: number): Promise<DrawnRating[]> {
    const drawn: DrawnRating[] = [];
    for (let tries = 0; tries < count * 2 && drawn.length < count; tries += 1) {
      const movie = this.#pick(this.#parts.movies);
      const user_id = this.#pick(this.#parts.users);
      const rating = (1 + this.#random.below(10)) / 2;
      if (!movie || user_id === undefined || this.#taken.has(movie.tmdb_id)) continue;
      this.#taken.add(movie.tmdb_id);
      drawn.push({ tmdbId: movie.tmdb_id, rating: { user_id, movie_id: movie.movie_id, rating } });
    }
    if (drawn.length === 0) return [];
    const given = await this.#parts.given(drawn);
    return drawn.filter(({ tmdbId }) => {
      if (given.has(tmdbId)) this.free(tmdbId);
      return !given.has(tmdbId);
    });
  }

  /** The movie may be drawn again. */
  free(tmdbId: number): void {
    this.#taken.delete(tmdbId);
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[this.#random.below(from.length)];
  }
}

async function givenBefore(warehouse: pg.Client, drawn: readonly DrawnRating[]): Promise<Set<number>> {
  const { rows } = await warehouse.query<{ tmdb_id: number }>(
    `select drawn.tmdb_id
     from unnest($1::int[], $2::int[], $3::int[]) as drawn (user_id, movie_id, tmdb_id)
     where exists (
         select from marts.fact_rating as facts
         where facts.user_id = drawn.user_id and facts.movie_id = drawn.movie_id
       ) or exists (
         select from live.ratings as known
         where known.user_id = drawn.user_id and known.movie_id = drawn.movie_id
       )`,
    [
      drawn.map(({ rating }) => rating.user_id),
      drawn.map(({ rating }) => rating.movie_id),
      drawn.map(({ tmdbId }) => tmdbId),
    ],
  );
  return new Set(rows.map(({ tmdb_id }) => tmdb_id));
}
