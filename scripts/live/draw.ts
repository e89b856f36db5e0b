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

/**
 * Ratings by users of the published ratings, of movies of the published links, that nobody has given before. Of each
 * movie one is under way at a time, so its count tells when that one is seen.
 */
export class Draw {
  readonly #warehouse: pg.Client;
  readonly #random: Random32;
  readonly #users: readonly number[];
  readonly #movies: readonly Movie[];
  readonly #taken = new Set<number>();

  private constructor(warehouse: pg.Client, seed: number, users: readonly number[], movies: readonly Movie[]) {
    this.#warehouse = warehouse;
    this.#random = new Random32(seed);
    this.#users = users;
    this.#movies = movies;
  }

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
    return new Draw(
      warehouse,
      seed,
      users.rows.map(({ user_id }) => user_id),
      movies.rows,
    );
  }

  /** Up to so many ratings, fewer when hardly a movie is free. */
  async some(count: number): Promise<DrawnRating[]> {
    const drawn: DrawnRating[] = [];
    for (let tries = 0; tries < count * 2 && drawn.length < count; tries += 1) {
      const movie = this.#pick(this.#movies);
      const user_id = this.#pick(this.#users);
      const rating = (1 + this.#random.below(10)) / 2;
      if (!movie || user_id === undefined || this.#taken.has(movie.tmdb_id)) continue;
      this.#taken.add(movie.tmdb_id);
      drawn.push({ tmdbId: movie.tmdb_id, rating: { user_id, movie_id: movie.movie_id, rating } });
    }
    const given = await this.#given(drawn);
    return drawn.filter(({ tmdbId }) => {
      if (given.has(tmdbId)) this.free(tmdbId);
      return !given.has(tmdbId);
    });
  }

  /** The movie may be drawn again. */
  free(tmdbId: number): void {
    this.#taken.delete(tmdbId);
  }

  /** The movies of those ratings that were given before. */
  async #given(drawn: readonly DrawnRating[]): Promise<Set<number>> {
    const { rows } = await this.#warehouse.query<{ tmdb_id: number }>(
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

  #pick<T>(from: readonly T[]): T | undefined {
    return from[this.#random.below(from.length)];
  }
}
