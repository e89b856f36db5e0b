import { type LiveRating, liveRating } from "@boxoffice/contracts/liveRating";
import type { KafkaMessage } from "kafkajs";

/** A rating and where it lies on its partition. */
export interface LiveRow extends LiveRating {
  offset: number;
}

/** A message's rating, or what is wrong with it in one line. */
export type ReadLiveRow = { row: LiveRow } | { reason: string };

/** The rating in a message of an epoch that begins at a position, or why there is none. */
export function readLiveRow({ offset, value }: Pick<KafkaMessage, "offset" | "value">, begin: number): ReadLiveRow {
  let content: unknown;
  try {
    content = JSON.parse(String(value));
  } catch (error) {
    return { reason: `not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const parsed = liveRating.safeParse(content);
  if (parsed.success) return { row: { ...parsed.data, offset: begin + Number(offset) } };
  return { reason: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ") };
}
