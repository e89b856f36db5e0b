import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { type DeadLetter, deadLetter } from "@boxoffice/contracts/deadLetter";
import { isDeadLetterSliceKey, lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { runInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { readHop } from "./hopReports.ts";

const largestAnswer = 1000;

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

/** The dead letters of a run's loads, the first thousand of them, and how many there are. */
export async function runDeadLetters(
  lake: ObjectStore,
  runId: string,
): Promise<{ dead_letters: DeadLetter[]; total: number }> {
  const dead_letters: DeadLetter[] = [];
  let total = 0;
  for (const [dataset, loadId] of await loadsOf(lake, runId)) {
    for (const key of await listDeadLetterSlices(lake, dataset, loadId)) {
      const lines = await readLines(lake, key);
      total += lines.length;
      for (const line of lines.slice(0, largestAnswer - dead_letters.length)) {
        dead_letters.push(parseLine(key, line));
      }
    }
  }
  return { dead_letters, total };
}

/** A run that failed before its inputs were fixed has the loads it ingested. */
async function loadsOf(lake: ObjectStore, runId: string): Promise<[DatasetName, string][]> {
  const inputs = await lake.json(lakeKeys.hop(runId, "inputs"), runInputs);
  const loads: [DatasetName, string][] = [];
  for (const dataset of datasetNames) {
    const loadId = inputs?.loads[dataset].load_id ?? (await readHop(lake, runId, `ingest.${dataset}`))?.load_id;
    if (loadId) loads.push([dataset, loadId]);
  }
  return loads;
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
