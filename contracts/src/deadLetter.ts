import { z } from "zod";
import { rejectionRules } from "./cell.ts";
import { datasetName } from "./dataset.ts";

/** A source record that breaks its contract. Its id is `<dataset>.<load_id>.<row_number>`. */
export const deadLetter = z.object({
  id: z.string(),
  dataset: datasetName,
  load_id: z.string(),
  file: z.string(),
  /** First line of the record in the source file, 1 = the header. */
  line: z.number().int().positive(),
  /** The record's number, 1 = the first after the header. */
  row_number: z.number().int().positive(),
  column: z.string().nullable(),
  rule: z.enum(rejectionRules),
  reason: z.string(),
  raw: z.string(),
});
export type DeadLetter = z.infer<typeof deadLetter>;
