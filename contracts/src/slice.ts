import { z } from "zod";
import { datasetName } from "./dataset.ts";
import { loadId } from "./loadId.ts";

const integer = z.coerce.number().int().nonnegative();

/**
 * Headers of a slice on a dataset's topic (value: Arrow IPC stream of its good records, see `narrowSlice.ts`) and of
 * its dead letters on `dead-letters` (value: NDJSON). They depend on the source's bytes alone.
 */
export const sliceHeaders = z.object({
  dataset: datasetName,
  load_id: loadId,
  slice: integer,
  group: integer,
  rows: integer,
  /** "1" on the last slice of the load. */
  last: z.enum(["0", "1"]).transform((flag) => flag === "1"),
});
export type SliceHeaders = z.infer<typeof sliceHeaders>;

/** The topic of every dataset's dead letters; those of live ratings go straight to the lake. */
export const deadLetterTopic = "dead-letters";
/** Partitions of each topic. */
export const partitions = 4;
