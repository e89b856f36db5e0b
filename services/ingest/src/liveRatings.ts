import { type LiveRating, postedRating, postedRatings } from "@boxoffice/contracts/liveRating";
import { HttpError } from "@boxoffice/platform/httpError";
import type { FastifyInstance } from "fastify";
import type { LivePublisher } from "./livePublisher.ts";
import type { RateLimit } from "./rateLimit.ts";

/** A thousand ratings are some 80 KB. */
const bodyBytes = 256 << 10;

export interface LiveServices {
  publisher: Pick<LivePublisher, "append">;
  rateLimit: RateLimit;
}

/** `POST /ratings`: one rating, or an array of them, acknowledged when Kafka has all. */
export function liveRatingsRoute(server: FastifyInstance, { publisher, rateLimit }: LiveServices): void {
  server.post("/ratings", { bodyLimit: bodyBytes }, async (request, reply) => {
    const { body } = request;
    const posted = Array.isArray(body) ? postedRatings.parse(body) : [postedRating.parse(body)];
    const retryAfterSeconds = rateLimit.take(posted.length);
    if (retryAfterSeconds > 0) {
      const message = `more ratings came than LIVE_RATE_LIMIT lets in: send these again in ${Math.ceil(retryAfterSeconds)} s`;
      throw new HttpError(429, "too_many_ratings", message, { retryAfterSeconds });
    }
    const now = Math.floor(Date.now() / 1000);
    const ratings = posted.map(({ timestamp = now, ...rating }): LiveRating => ({ ...rating, timestamp }));
    await publisher.append(ratings);
    return reply.code(202).send({ accepted: ratings.length });
  });
}
