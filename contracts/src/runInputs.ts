import { z } from "zod";
import { type DatasetName, datasetName } from "./dataset.ts";
import { lakeKeys } from "./lakeKeys.ts";

const count = z.number().int().nonnegative();

/** A sealed load: source_rows = bronze + dead_letters. */
export const inputLoad = z.object({
  load_id: z.string(),
  file: z.string(),
  landed_at: z.iso.datetime(),
  /** Of the source's bytes; runs of before it was kept have none. */
  sha256: z.string().default(""),
  source_rows: count,
  dead_letters: count,
  bronze: count,
  /** Where this load's bronze objects are: `bronze/<dataset>/load=<load_id>`. */
  prefix: z.string(),
});
export type InputLoad = z.infer<typeof inputLoad>;

/** The live ratings that a run reads beside the bulk ones: those of each partition below an offset. */
export const liveInput = z.object({
  /** Where the live ratings' bronze objects are. */
  prefix: z.string(),
  /** By partition of the topic, the first offset that the run does not read. */
  offsets: z.array(count),
  source_rows: count,
  dead_letters: count,
  bronze: count,
});
export type LiveInput = z.infer<typeof liveInput>;

/** Of a run that reads no live rating. */
export const noLiveInput: LiveInput = {
  prefix: lakeKeys.liveRatings,
  offsets: [],
  source_rows: 0,
  dead_letters: 0,
  bronze: 0,
};

/** The decisions about a load's dead letters that a run goes by, and the records they repaired. */
export const inputFixes = z.object({
  /** Of which bytes: the load's id without the run that forced it. */
  source: z.string(),
  /** How many of the log. */
  decisions: count,
  /** Repaired records, in Parquet as bronze has it below the prefix; nothing is there for none. */
  repaired: count,
  prefix: z.string(),
});
export type InputFixes = z.infer<typeof inputFixes>;

const fixesOfDataset = z.array(inputFixes);

/** The sealed loads that a run reads; every later hop reads only what they name. */
export const runInputs = z.object({
  run_id: z.string(),
  edition: z.string(),
  fixed_at: z.iso.datetime(),
  /** The run that was published then: what it computed may be shared. */
  published_run: z.string().nullable().default(null),
  /** The base of each dataset: a whole edition's file. */
  loads: z.record(datasetName, inputLoad),
  /** By dataset, the loads that were appended to its base, in the order they arrived. */
  appended: z.partialRecord(datasetName, z.array(inputLoad)).default({}),
  /** Inputs that were fixed before there were live ratings have none. */
  live: liveInput.default(noLiveInput),
  /** By dataset, one for each source that somebody decided about; before loads could be appended there was one at most. */
  fixes: z.partialRecord(datasetName, z.union([fixesOfDataset, inputFixes.transform((only) => [only])])).default({}),
  /** What whoever follows the run should know of the choice of its loads. */
  notes: z.array(z.string()).default([]),
});
export type RunInputs = z.infer<typeof runInputs>;

/** Every load of a dataset that a run reads. A later row wins over an earlier one: the base comes first. */
export function loadsOf({ loads, appended }: Pick<RunInputs, "loads" | "appended">, dataset: DatasetName): InputLoad[] {
  return [loads[dataset], ...(appended[dataset] ?? [])];
}
