import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { type DeadLetter, deadLetter, type ListedDeadLetter } from "@boxoffice/contracts/deadLetter";
import type { LetterState } from "@boxoffice/contracts/deadLetterDecision";
import { isDeadLetterSliceKey, lakeKeys, parseLiveKey } from "@boxoffice/contracts/lakeKeys";
import { type LiveDeadLetter, liveDeadLetter } from "@boxoffice/contracts/liveRating";
import { sourceOf } from "@boxoffice/contracts/loadId";
import { loadsOf, noLiveInput, type RunInputs, runInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { z } from "zod";
import { readDecisions, standingOf, standingsAfter } from "./decisions.ts";
import { readHop } from "./hopReports.ts";

const largestAnswer = 1000;

/** The dead letters of a run: of its loads, and of the live ratings below its barrier. */
export interface RunDeadLetters {
  /** With those of live ratings the first thousand. */
  dead_letters: ListedDeadLetter[];
  live_dead_letters: LiveDeadLetter[];
  /** How many there are of both. */
  total: number;
  /** What became of those of its loads, by now. */
  states: Record<LetterState, number>;
  /** Decisions that the run does not go by, because they were made after its inputs were fixed: the next run does. */
  pending: number;
  /** Datasets that the run has no load of, so what was rejected of them is not among these. */
  not_loaded: DatasetName[];
  /** Why a run without some load failed; null while it has not. Of a source with too many rejects it says where they are. */
  failure: string | null;
}

/** The keys of a load's dead letters, one per slice that has any. */
export async function listDeadLetterSlices(lake: ObjectStore, dataset: DatasetName, loadId: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.list(lakeKeys.deadLetters(dataset, loadId))) {
    if (isDeadLetterSliceKey(key)) keys.push(key);
  }
  return keys;
}

/** How many dead letters of a load the lake holds. */
export async function countDeadLetters(lake: ObjectStore, dataset: DatasetName, loadId: string): Promise<number> {
  let lines = 0;
  for (const key of await listDeadLetterSlices(lake, dataset, loadId)) lines += (await readLines(lake, key)).length;
  return lines;
}

/** The dead letters of a slice, by its key; none when the lake holds none there. */
export async function readDeadLetterSlice(lake: ObjectStore, key: string): Promise<DeadLetter[]> {
  return (await readLines(lake, key)).map((line) => parseLine(key, line));
}

/** Reads a run's dead letters; undefined when the lake has nothing of the run. */
export async function runDeadLetters(lake: ObjectStore, runId: string): Promise<RunDeadLetters | undefined> {
  const { done: isUnknown } = await lake.list(lakeKeys.run(runId)).next();
  if (isUnknown) return undefined;
  const inputs = await lake.json(lakeKeys.hop(runId, "inputs"), runInputs);
  const loads = await loadsOfRun(lake, runId, inputs);
  const dead_letters: ListedDeadLetter[] = [];
  const states = { open: 0, fixed: 0, merged_into: 0, discarded: 0 };
  let total = 0;
  let pending = 0;
  for (const [dataset, loadId] of loads) {
    const source = sourceOf(loadId);
    const log = await readDecisions(lake, dataset, source);
    const standings = standingsAfter(log);
    pending += log.length - (inputs?.fixes[dataset]?.find((fixes) => fixes.source === source)?.decisions ?? 0);
    for (const { state } of standings.decided.values()) states[state] += 1;
    states.merged_into += standings.mergedInto.size;
    for (const key of await listDeadLetterSlices(lake, dataset, loadId)) {
      const lines = await readLines(lake, key);
      total += lines.length;
      for (const line of lines.slice(0, largestAnswer - dead_letters.length)) {
        const letter = parseLine(key, line);
        dead_letters.push({ ...letter, ...standingOf(standings, letter) });
      }
    }
  }
  states.open = total - states.fixed - states.merged_into - states.discarded;
  const liveKeys = await listLive(lake, inputs?.live ?? noLiveInput);
  const shown = liveKeys.slice(0, largestAnswer - dead_letters.length);
  const live_dead_letters = await Promise.all(shown.map((key) => readLive(lake, key)));
  const not_loaded = datasetNames.filter((dataset) => !loads.some(([loaded]) => loaded === dataset));
  const failure = not_loaded.length > 0 ? await failureOf(lake, runId) : null;
  return { dead_letters, live_dead_letters, total: total + liveKeys.length, states, pending, not_loaded, failure };
}

/** A run that failed before its inputs were fixed has the loads it ingested. */
async function loadsOfRun(
  lake: ObjectStore,
  runId: string,
  inputs: RunInputs | undefined,
): Promise<[DatasetName, string][]> {
  const loads: [DatasetName, string][] = [];
  for (const dataset of datasetNames) {
    const known = inputs && loadsOf(inputs, dataset).map(({ load_id }) => load_id);
    const ingested = known ? undefined : (await readHop(lake, runId, `ingest.${dataset}`))?.load_id;
    for (const loadId of known ?? (ingested ? [ingested] : [])) loads.push([dataset, loadId]);
  }
  return loads;
}

/** The keys of live dead letters below a run's barrier. */
async function listLive(lake: ObjectStore, { offsets }: RunInputs["live"]): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.list(lakeKeys.liveDeadLetters)) {
    const place = parseLiveKey(key);
    if (place && place.offset < (offsets[place.partition] ?? 0)) keys.push(key);
  }
  return keys;
}

async function readLive(lake: ObjectStore, key: string): Promise<LiveDeadLetter> {
  const letter = await lake.json(key, liveDeadLetter);
  if (letter) return letter;
  throw new ServiceError("missing_object", `${key} is no longer in the lake`);
}

/** The task that fails writes it; a run's newest failure stands. */
async function failureOf(lake: ObjectStore, runId: string): Promise<string | null> {
  const report = await lake.json(lakeKeys.hop(runId, "failure"), z.object({ message: z.string() }));
  return report?.message ?? null;
}

function parseLine(key: string, line: string): DeadLetter {
  const result = deadLetter.safeParse(JSON.parse(line));
  if (result.success) return result.data;
  throw new ServiceError("bad_object", `${key} is not as its contract says: ${result.error.message}`);
}

async function readLines(lake: ObjectStore, key: string): Promise<string[]> {
  const bytes = await lake.bytes(key);
  return bytes
    ? Buffer.from(bytes)
        .toString("utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
}
