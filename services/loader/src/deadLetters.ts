import { type DatasetName, datasetNames, datasets } from "@boxoffice/contracts/dataset";
import {
  type DeadLetter,
  deadLetter,
  type ListedDeadLetter,
  mostDeadLettersListed,
  parseDeadLetterId,
} from "@boxoffice/contracts/deadLetter";
import type { LetterState } from "@boxoffice/contracts/deadLetterDecision";
import { lakeKeys, parseDeadLetterSliceKey, parseLiveKey } from "@boxoffice/contracts/lakeKeys";
import {
  type LiveDeadLetter,
  liveDeadLetter,
  liveDeadLetterId,
  parseLiveDeadLetterId,
} from "@boxoffice/contracts/liveRating";
import { sourceOf } from "@boxoffice/contracts/loadId";
import { loadsOf, noLiveInput, type RunInputs, runInputs } from "@boxoffice/contracts/runInputs";
import { HttpError } from "@boxoffice/platform/httpError";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { z } from "zod";
import { readDecisions, type Standings, standingOf, standingsAfter } from "./decisions.ts";
import { readHop } from "./hopReports.ts";

/** The dead letters of a run, or a page of them: of its loads, and of the live ratings below its barrier. */
export interface RunDeadLetters {
  run_id: string;
  /** First those of its loads, then those of live ratings; with them no more than were asked for. */
  dead_letters: ListedDeadLetter[];
  live_dead_letters: LiveDeadLetter[];
  /** The id of the last one here, behind which the next page begins; null when none is left. */
  next: string | null;
  /** How many the run has of both, on whatever page. */
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

/** Which dead letters of a run are listed. */
export interface PageRequest {
  /** The id behind which the page begins: a page's `next`. */
  after?: string | undefined;
  /** At most so many. */
  limit?: number | undefined;
}

/** A load of a run, with what was decided about the dead letters of its bytes. */
interface ListedLoad extends RunLoad {
  standings: Standings;
}

interface RunLoad {
  dataset: DatasetName;
  load_id: string;
  /** How many there are; undefined when the run's inputs are not fixed. */
  dead_letters: number | undefined;
}

/** Where a page begins: behind a record of a load, or behind a live rating. */
type Place = { load: RunLoad; row_number: number } | { liveKey: string };

/** The dead letters of a slice, one object. */
interface SliceObject {
  key: string;
  slice: number;
}

/** The slices of a load that have dead letters, in the order of their records. */
export async function listDeadLetterSlices(
  lake: ObjectStore,
  dataset: DatasetName,
  loadId: string,
): Promise<SliceObject[]> {
  const slices: SliceObject[] = [];
  for await (const { key } of lake.list(lakeKeys.deadLetters(dataset, loadId))) {
    const slice = parseDeadLetterSliceKey(key);
    if (slice !== undefined) slices.push({ key, slice });
  }
  return slices.sort((one, other) => one.slice - other.slice);
}

/** How many dead letters of a load the lake holds. */
export async function countDeadLetters(lake: ObjectStore, dataset: DatasetName, loadId: string): Promise<number> {
  let lines = 0;
  for (const { key } of await listDeadLetterSlices(lake, dataset, loadId)) lines += (await readLines(lake, key)).length;
  return lines;
}

/** The dead letters of a slice, by its key; none when the lake holds none there. */
export async function readDeadLetterSlice(lake: ObjectStore, key: string): Promise<DeadLetter[]> {
  return (await readLines(lake, key)).map((line) => parseLine(key, line));
}

/** The number of the slice that a record was cut into. */
export function sliceOfRecord(dataset: DatasetName, rowNumber: number): number {
  return Math.floor((rowNumber - 1) / datasets[dataset].sliceRecords);
}

/** Reads a run's dead letters, or a page of them; undefined when the lake has nothing of the run. */
export async function runDeadLetters(
  lake: ObjectStore,
  runId: string,
  { after, limit = mostDeadLettersListed }: PageRequest = {},
): Promise<RunDeadLetters | undefined> {
  const { done: isUnknown } = await lake.list(lakeKeys.run(runId)).next();
  if (isUnknown) return undefined;
  const inputs = await lake.json(lakeKeys.hop(runId, "inputs"), runInputs);
  const runLoads = await loadsOfRun(lake, runId, inputs);
  const place = after === undefined ? undefined : placeOf(after, runId, runLoads);
  const loads: ListedLoad[] = [];
  const states = { open: 0, fixed: 0, merged_into: 0, discarded: 0 };
  let total = 0;
  let pending = 0;
  for (const load of runLoads) {
    const { dataset, load_id } = load;
    const source = sourceOf(load_id);
    const log = await readDecisions(lake, dataset, source);
    const standings = standingsAfter(log);
    pending += log.length - (inputs?.fixes[dataset]?.find((fixes) => fixes.source === source)?.decisions ?? 0);
    for (const { state } of standings.decided.values()) states[state] += 1;
    states.merged_into += standings.mergedInto.size;
    total += load.dead_letters ?? (await countDeadLetters(lake, dataset, load_id));
    loads.push({ ...load, standings });
  }
  states.open = total - states.fixed - states.merged_into - states.discarded;
  const dead_letters: ListedDeadLetter[] = [];
  let isMore = false;
  for await (const letter of lettersBehind(lake, loads, place)) {
    isMore = dead_letters.length === limit;
    if (isMore) break;
    dead_letters.push(letter);
  }
  const liveKeys = await listLive(lake, inputs?.live ?? noLiveInput);
  const liveLeft = place && "liveKey" in place ? liveKeys.filter((key) => key > place.liveKey) : liveKeys;
  const shown = liveLeft.slice(0, limit - dead_letters.length);
  const live_dead_letters = await Promise.all(shown.map((key) => readLive(lake, key)));
  const lastLive = live_dead_letters.at(-1);
  const last = lastLive ? liveDeadLetterId(lastLive) : dead_letters.at(-1)?.id;
  const not_loaded = datasetNames.filter((dataset) => !loads.some((load) => load.dataset === dataset));
  return {
    run_id: runId,
    dead_letters,
    live_dead_letters,
    next: last !== undefined && (isMore || liveLeft.length > shown.length) ? last : null,
    total: total + liveKeys.length,
    states,
    pending,
    not_loaded,
    failure: not_loaded.length > 0 ? await failureOf(lake, runId) : null,
  };
}

/** A run that failed before its inputs were fixed has the loads it ingested. */
async function loadsOfRun(lake: ObjectStore, runId: string, inputs: RunInputs | undefined): Promise<RunLoad[]> {
  const loads: RunLoad[] = [];
  for (const dataset of datasetNames) {
    if (inputs) {
      loads.push(...loadsOf(inputs, dataset).map(({ load_id, dead_letters }) => ({ dataset, load_id, dead_letters })));
      continue;
    }
    const load_id = (await readHop(lake, runId, `ingest.${dataset}`))?.load_id;
    if (load_id) loads.push({ dataset, load_id, dead_letters: undefined });
  }
  return loads;
}

/** The dead letters of a run's loads from a place on, in the order of the loads and of the records in each. */
async function* lettersBehind(
  lake: ObjectStore,
  loads: readonly ListedLoad[],
  place: Place | undefined,
): AsyncGenerator<ListedDeadLetter> {
  if (place && "liveKey" in place) return;
  const isFirst = ({ load_id, dataset }: RunLoad) => load_id === place?.load.load_id && dataset === place.load.dataset;
  for (const load of place ? loads.slice(loads.findIndex(isFirst)) : loads) {
    const { dataset, load_id, standings } = load;
    const row = place && isFirst(load) ? place.row_number : 0;
    for (const { key, slice } of await listDeadLetterSlices(lake, dataset, load_id)) {
      if (row > 0 && slice < sliceOfRecord(dataset, row)) continue;
      for (const line of await readLines(lake, key)) {
        const letter = parseLine(key, line);
        if (letter.row_number > row) yield { ...letter, ...standingOf(standings, letter) };
      }
    }
  }
}

function placeOf(after: string, runId: string, loads: readonly RunLoad[]): Place {
  const live = parseLiveDeadLetterId(after);
  if (live) return { liveKey: lakeKeys.liveDeadLetter(live.partition, live.offset) };
  const named = parseDeadLetterId(after);
  const load = loads.find(({ dataset, load_id }) => dataset === named?.dataset && load_id === named.load_id);
  if (load && named) return { load, row_number: named.row_number };
  throw new HttpError(
    400,
    "unknown_cursor",
    `no page begins after ${after}: it is of no load of the run ${runId}\n` +
      "  expected: what `next` of the page before says, of the same run\n" +
      "  to do:    name that run too: ./box dead-letters list --run RUN_ID --after ID",
  );
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
