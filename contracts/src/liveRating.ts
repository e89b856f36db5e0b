import { z } from "zod";
import { ratingRecord } from "./ratings.ts";

/** A JSON number that the bulk contract's cell accepts as text. */
function cell<T>(bulk: z.ZodType<T | null, string>) {
  return z
    .number()
    .transform(String)
    .pipe(bulk)
    .transform((value, context): T => {
      if (value !== null) return value;
      context.addIssue({ code: "custom", message: "it is empty" });
      return z.NEVER;
    });
}

const { user_id, movie_id, rating, timestamp } = ratingRecord.shape;

/** One rating as it lies on its topic: the same rules as a record of ratings.csv, and nothing empty. */
export const liveRating = z.strictObject({
  user_id: cell(user_id),
  movie_id: cell(movie_id),
  rating: cell(rating),
  timestamp: cell(timestamp),
});
export type LiveRating = z.infer<typeof liveRating>;

/** One rating as it is posted; without a timestamp it is of now. */
export const postedRating = liveRating.partial({ timestamp: true });
export type PostedRating = z.infer<typeof postedRating>;

/** In one request. */
export const mostRatingsPosted = 1_000;

/** Several ratings in one request: all are taken, or none. */
export const postedRatings = z.array(postedRating).min(1).max(mostRatingsPosted);

export const liveTopic = "ratings-live";

/** All ratings of a user lie on one partition, so the later of two has the higher offset. */
export const livePartitionKey = ({ user_id }: Pick<LiveRating, "user_id">) => String(user_id);

/** A rating as it lies on the topic. */
export const liveMessage = (rating: LiveRating) => ({ key: livePartitionKey(rating), value: JSON.stringify(rating) });

/** What lies on the topic and is no rating, kept as it came. */
export const liveDeadLetter = z.object({
  partition: z.number().int().nonnegative(),
  offset: z.number().int().nonnegative(),
  reason: z.string(),
  raw: z.string(),
});
export type LiveDeadLetter = z.infer<typeof liveDeadLetter>;

type LivePlace = Pick<LiveDeadLetter, "partition" | "offset">;

/** The id of a live dead letter. */
export const liveDeadLetterId = ({ partition, offset }: LivePlace) => `${liveTopic}.${partition}.${offset}`;

/** What a live dead letter's id says, or undefined when it is no such id. */
export function parseLiveDeadLetterId(id: string): LivePlace | undefined {
  const [topic, partition, offset, ...others] = id.split(".");
  const number = z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number);
  const parsed = z.object({ partition: number, offset: number }).safeParse({ partition, offset });
  return parsed.success && topic === liveTopic && others.length === 0 ? parsed.data : undefined;
}
