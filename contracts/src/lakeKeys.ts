import type { DatasetName } from "./dataset.ts";

const five = (n: number) => String(n).padStart(5, "0");
const eight = (n: number) => String(n).padStart(8, "0");
const sixteen = (n: number) => String(n).padStart(16, "0");

/** Every key of the lake that TypeScript reads or writes, in one place. */
export const lakeKeys = {
  source: (dataset: DatasetName, loadId: string, file: string) => `raw/${dataset}/${loadId}/${file}`,
  manifest: (dataset: DatasetName, loadId: string) => `raw/${dataset}/${loadId}/manifest.json`,
  bronze: (dataset: DatasetName, loadId: string) => `bronze/${dataset}/load=${loadId}`,
  group: (dataset: DatasetName, loadId: string, group: number, rows: number) =>
    `bronze/${dataset}/load=${loadId}/group-${five(group)}-rows-${rows}.parquet`,
  seal: (dataset: DatasetName, loadId: string) => `bronze/${dataset}/load=${loadId}/_SEALED`,
  deadLetters: (dataset: DatasetName, loadId: string) => `dead-letters/${dataset}/load=${loadId}/`,
  deadLetterSlice: (dataset: DatasetName, loadId: string, slice: number) =>
    `dead-letters/${dataset}/load=${loadId}/slice-${five(slice)}.ndjson`,
  /** The log of decisions about the dead letters of a dataset's bytes. */
  decisions: (dataset: DatasetName, source: string) => `fixes/${dataset}/${source}/`,
  decision: (dataset: DatasetName, source: string, number: number) =>
    `fixes/${dataset}/${source}/decision-${eight(number)}.json`,
  /** The repaired records after a number of decisions. */
  repaired: (dataset: DatasetName, source: string, decisions: number) =>
    `repaired/${dataset}/${source}/after-${eight(decisions)}`,
  /** Of every object of live ratings; a run reads those below its barrier. */
  liveRatings: "bronze/ratings-live",
  liveObject: (partition: number, offset: number) =>
    `bronze/ratings-live/partition-${partition}-offset-${sixteen(offset)}.parquet`,
  /** The same ratings as the objects of a partition from one offset to before another. */
  compactedLiveObject: (partition: number, from: number, to: number) =>
    `bronze/ratings-live/partition-${partition}-offset-${sixteen(from)}-to-${sixteen(to)}.parquet`,
  /** Which life of the live topic is at which positions. */
  liveEpochs: "bronze/ratings-live-epochs/",
  liveEpoch: (number: number) => `bronze/ratings-live-epochs/epoch-${five(number)}.json`,
  liveDeadLetters: "dead-letters/ratings-live/",
  liveDeadLetter: (partition: number, offset: number) =>
    `dead-letters/ratings-live/partition-${partition}-offset-${sixteen(offset)}.json`,
  /** Spark writes below `<run_id>/<try>/`. */
  silver: "silver/",
  gold: "gold/",
  watch: (editionDigest: string) => `_watch/${editionDigest}.json`,
  run: (runId: string) => `_runs/${runId}/`,
  hop: (runId: string, hop: string) => `_runs/${runId}/${hop}.json`,
  progressOf: (runId: string) => `_progress/${runId}/`,
  /**
   * How far `silver`, `gold` or `dbt` has come; the other hops are jobs of a service, which tells. Of `warehouse` only
   * that it has begun.
   */
  progress: (runId: string, hop: string) => `_progress/${runId}/${hop}.json`,
};

const deadLetterSliceKey = /\/slice-(\d{5,})\.ndjson$/;

/**
 * The number of the slice whose dead letters the key is of, or undefined for another key: a store may list temporary
 * names of objects being written.
 */
export function parseDeadLetterSliceKey(key: string): number | undefined {
  const match = deadLetterSliceKey.exec(key);
  return match ? Number(match[1]) : undefined;
}

const decisionKey = /\/decision-(\d{8,})\.json$/;

/** The number of the decision that the key is of, or undefined for another key. */
export function parseDecisionKey(key: string): number | undefined {
  const match = decisionKey.exec(key);
  return match ? Number(match[1]) : undefined;
}

const groupKey = /\/group-(\d{5,})-rows-(\d+)\.parquet$/;

/** The group number and row count that a bronze object's key states, or undefined for another key. */
export function parseGroupKey(key: string): { group: number; rows: number } | undefined {
  const match = groupKey.exec(key);
  return match ? { group: Number(match[1]), rows: Number(match[2]) } : undefined;
}

const liveKey = /\/partition-(\d+)-offset-(\d{16})\.(?:parquet|json)$/;

/** The partition and offset that the key of live ratings, or of a live dead letter, begins at; undefined for another key. */
export function parseLiveKey(key: string): { partition: number; offset: number } | undefined {
  const match = liveKey.exec(key);
  return match ? { partition: Number(match[1]), offset: Number(match[2]) } : undefined;
}

const compactedLiveKey = /\/partition-(\d+)-offset-(\d{16})-to-(\d{16})\.parquet$/;

/** The partition and offsets, the last excluded, of the key of compacted live ratings; undefined for another key. */
export function parseCompactedLiveKey(key: string): { partition: number; from: number; to: number } | undefined {
  const match = compactedLiveKey.exec(key);
  return match ? { partition: Number(match[1]), from: Number(match[2]), to: Number(match[3]) } : undefined;
}
