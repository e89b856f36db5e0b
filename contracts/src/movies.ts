import { z } from "zod";
import { date, genreList, idKey, number, numberWithin, text } from "./cell.ts";

/** A record of movies_metadata.csv, The Movies Dataset (TMDB facts). Money in US dollars, runtime in minutes. */
export const movieRecord = z.object({
  adult: text("adult"),
  belongs_to_collection: text("belongs_to_collection"),
  budget: number("budget"),
  genres: genreList("genres"),
  homepage: text("homepage"),
  id: idKey("id"),
  imdb_id: text("imdb_id"),
  original_language: text("original_language"),
  original_title: text("original_title"),
  overview: text("overview"),
  popularity: number("popularity"),
  poster_path: text("poster_path"),
  production_companies: text("production_companies"),
  production_countries: text("production_countries"),
  release_date: date("release_date"),
  revenue: number("revenue"),
  runtime: number("runtime"),
  spoken_languages: text("spoken_languages"),
  status: text("status"),
  tagline: text("tagline"),
  title: text("title"),
  video: text("video"),
  vote_average: numberWithin({ least: 0, most: 10 }, "vote_average"),
  vote_count: numberWithin({ least: 0 }, "vote_count"),
});
