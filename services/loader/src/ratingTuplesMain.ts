import { move, transferableSymbol, valueSymbol } from "piscina";
import { type RatingObject, tuplesOfRatings } from "./ratingTuples.ts";

/** What `RatingTuples` has its thread do. The bytes change hands: copied, they would be held twice. */
export default async function make(object: RatingObject) {
  const batches = await tuplesOfRatings(object);
  return move({ [transferableSymbol]: batches.map(({ bytes }) => bytes.buffer), [valueSymbol]: batches });
}
