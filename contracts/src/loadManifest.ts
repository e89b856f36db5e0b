import { z } from "zod";
import { rejectionRules } from "./cell.ts";
import { datasetName } from "./dataset.ts";

const count = z.number().int().nonnegative();

/** What a load consists of; written beside the source object when every slice is on the topic. */
export const loadManifest = z.object({
  load_id: z.string(),
  dataset: datasetName,
  contract_version: z.number().int(),
  file: z.string(),
  key: z.string(),
  bytes: count,
  sha256: z.string(),
  landed_at: z.iso.datetime(),
  source_rows: count,
  rows: count,
  dead_letters: count,
  rejected: z.partialRecord(z.enum(rejectionRules), count),
  slices: count,
  /** Slices that hold at least one dead letter. */
  dead_letter_slices: count,
  /** Rows of each group, in order. */
  group_rows: z.array(count),
  /** The source's column names, by which a dead letter is repaired; manifests of before they were kept have none. */
  header: z.array(z.string()).optional(),
});
export type LoadManifest = z.infer<typeof loadManifest>;

/** States that bronze and dead letters hold every row of a manifest. */
export const seal = z.object({
  load_id: z.string(),
  dataset: datasetName,
  rows: count,
  dead_letters: count,
  sealed_at: z.iso.datetime(),
});
export type Seal = z.infer<typeof seal>;
