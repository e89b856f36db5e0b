import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { columnOf, valuesOf } from "./arrowColumns.ts";
import { lakeBatches } from "./lakeBatches.ts";

/** Spreads ids that follow each other, by Fibonacci hashing. */
const factor = 0x9e37_79b1;

/** The movie that each MovieLens id of a run's bridge leads to: a hash table that threads share, asked once for each rating. */
export class MoviesOfLinks {
  /** Pairs of a MovieLens id and its movie, twice as many places as there are pairs; no id is 0. */
  readonly table: Int32Array;

  constructor(table: Int32Array) {
    this.table = table;
  }

  static of(links: readonly (readonly [movieId: number, tmdbId: number])[]): MoviesOfLinks {
    const places = 2 ** Math.ceil(Math.log2(2 * links.length + 2));
    const movies = new MoviesOfLinks(new Int32Array(new SharedArrayBuffer(2 * places * Int32Array.BYTES_PER_ELEMENT)));
    for (const [movieId, tmdbId] of links) movies.table.set([movieId, tmdbId], movies.#place(movieId));
    return movies;
  }

  /** The movie of a MovieLens id; 0 without one. */
  movieOf(movieId: number): number {
    return this.table[this.#place(movieId) + 1] ?? 0;
  }

  /** Where an id is, or would be. */
  #place(movieId: number): number {
    const last = this.table.length - 2;
    let place = (Math.imul(movieId, factor) >>> 8) * 2;
    for (place &= last; ; place = (place + 2) & last) {
      const found = this.table[place];
      if (found === movieId || found === 0) return place;
    }
  }
}

/** Reads the bridge of MovieLens ids to movies, some 45 thousand rows. */
export async function readLinks(lake: ObjectStore, prefixes: readonly string[]): Promise<MoviesOfLinks> {
  const links: [number, number][] = [];
  for (const prefix of prefixes) {
    for await (const batch of lakeBatches(lake, prefix, ["movie_id", "tmdb_id"])) {
      const movieIds = valuesOf(columnOf(batch, "movie_id"), Int32Array);
      const tmdbIds = valuesOf(columnOf(batch, "tmdb_id"), Int32Array);
      for (let row = 0; row < batch.numRows; row++) links.push([movieIds[row] ?? 0, tmdbIds[row] ?? 0]);
    }
  }
  return MoviesOfLinks.of(links);
}
