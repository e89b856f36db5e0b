import fc from "fast-check";
import { expect, test } from "vitest";
import { MoviesOfLinks } from "../src/moviesOfLinks.ts";

const id = fc.integer({ min: 1, max: 2 ** 31 - 1 });

test("each id leads to the movie it was given with, any other to none, also in another thread's view", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.oneof(id, fc.integer({ min: 1, max: 99 })), id), { selector: ([movie]) => movie }),
      id,
      (links, other) => {
        const movies = new MoviesOfLinks(MoviesOfLinks.of(links).table);
        for (const [movieId, tmdbId] of links) expect(movies.movieOf(movieId)).toBe(tmdbId);
        if (!links.some(([movieId]) => movieId === other)) expect(movies.movieOf(other)).toBe(0);
      },
    ),
  );
});
