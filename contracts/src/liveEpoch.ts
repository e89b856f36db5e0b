import { z } from "zod";

/** More than a partition will ever have offsets. */
const positionsOfEpoch = 1e12;
/** More than the warehouse holds of live ratings. */
const rescuedRoom = 1e11;

/**
 * One life of the live topic. Kafka may be emptied, and the topic's offsets begin again: by its epoch an offset has a
 * position of its own on its partition, behind those of all epochs before. Below the topic positions are called offsets.
 */
export const liveEpoch = z.object({
  /** The positions stay whole numbers of 15 digits. */
  number: z.number().int().min(0).max(999),
  topic_id: z.string(),
  began_at: z.iso.datetime(),
});
export type LiveEpoch = z.infer<typeof liveEpoch>;

/** The position of an epoch's offset 0, on each partition. */
export const epochBegin = ({ number }: Pick<LiveEpoch, "number">) => number * positionsOfEpoch;

/** From where on lies what the warehouse alone had when an epoch began, which is not the first. */
export const rescuedBegin = (epoch: Pick<LiveEpoch, "number">) => epochBegin(epoch) - rescuedRoom;
