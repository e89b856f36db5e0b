import { z } from "zod";
import { datasetName } from "./dataset.ts";

const count = z.number().int().nonnegative();

export const inputLoad = z.object({
  load_id: z.string(),
  file: z.string(),
  landed_at: z.iso.datetime(),
  source_rows: count,
  dead_letters: count,
  bronze: count,
  /** Where this load's bronze objects are: `bronze/<dataset>/load=<load_id>`. */
  prefix: z.string(),
});

/** The one sealed load of each dataset that a run reads; every later hop reads only what it names. */
export const runInputs = z.object({
  run_id: z.string(),
  edition: z.string(),
  fixed_at: z.iso.datetime(),
  loads: z.record(datasetName, inputLoad),
});
export type RunInputs = z.infer<typeof runInputs>;
