import { z } from "zod";
import { epochSeconds, idKey, numberWithin } from "./cell.ts";

/** A record of ratings.csv (MovieLens): stars 0.5 to 5.0, seconds since 1970 UTC. */
export const ratingRecord = z.object({
  user_id: idKey("userId"),
  movie_id: idKey("movieId"),
  rating: numberWithin({ least: 0.5, most: 5 }, "rating"),
  timestamp: epochSeconds("timestamp"),
});
