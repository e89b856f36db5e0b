import { z } from "zod";
import { id, idKey, text } from "./cell.ts";

/** A record of links.csv: MovieLens id to IMDb id and TMDB id. */
export const linkRecord = z.object({
  movie_id: idKey("movieId"),
  imdb_id: text("imdbId"),
  tmdb_id: id("tmdbId"),
});
