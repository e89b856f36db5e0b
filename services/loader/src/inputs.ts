import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { sourceOf } from "@boxoffice/contracts/loadId";
import { loadManifest } from "@boxoffice/contracts/loadManifest";
import { type LiveInput, type RunInputs, runInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { fixFixes } from "./fixesInput.ts";
import { readHop } from "./hopReports.ts";
import { readSeal } from "./seal.ts";

type InputLoad = RunInputs["loads"][DatasetName];

/** Body of `POST /inputs` and `POST /publications`. */
export interface InputsRequest {
  run_id: string;
  allow_older?: boolean | undefined;
}

/** The loads that a run reads, or undefined when they are not fixed yet. */
export function readInputs(lake: ObjectStore, runId: string): Promise<RunInputs | undefined> {
  return lake.json(lakeKeys.hop(runId, "inputs"), runInputs);
}

/** What a run reads of the live ratings, given what the published run read. */
export type FixLive = (known: LiveInput | undefined) => Promise<LiveInput>;

/**
 * Fixes the one sealed load of each dataset that a run reads: those it ingested, else those of the published run. And
 * the live ratings: those that there are now. And what was decided until now about dead letters of these loads.
 */
export async function fixInputs(
  lake: ObjectStore,
  publishedRun: string | null,
  { run_id, allow_older = false }: InputsRequest,
  fixLive: FixLive,
): Promise<RunInputs> {
  const existing = await readInputs(lake, run_id);
  if (existing) return existing;
  const published = publishedRun === null ? undefined : await readInputs(lake, publishedRun);
  const [movies, links, ratings, cpi] = await Promise.all(
    datasetNames.map((dataset) => chooseLoad(lake, run_id, dataset, published)),
  );
  if (!movies || !links || !ratings || !cpi) throw new Error("a dataset is missing");
  const loads = { movies, links, ratings, cpi };
  const edition = datasetNames.map((dataset) => loads[dataset].file).join(", ");
  const live = await fixLive(published?.live);
  const fixes = await fixFixes(lake, loads);
  if (!allow_older) refuseOlder({ loads, live, fixes }, published);
  const inputs: RunInputs = { run_id, edition, fixed_at: new Date().toISOString(), loads, live, fixes };
  const created = await lake.create(lakeKeys.hop(run_id, "inputs"), JSON.stringify(inputs, undefined, 2));
  return created ? inputs : ((await readInputs(lake, run_id)) ?? inputs);
}

/**
 * Throws `older_edition` when a load landed before the one that the published run used, and is not the same bytes, or
 * when the published run has read further in the live ratings: those would be neither in the run nor beside it; or
 * when it goes by more decisions about dead letters of the same bytes.
 */
export function refuseOlder(
  { loads, live, fixes }: Pick<RunInputs, "loads" | "live" | "fixes">,
  published: RunInputs | undefined,
): void {
  if (!published) return;
  const olderLoads = datasetNames.flatMap((dataset) => {
    const [load, current] = [loads[dataset], published.loads[dataset]];
    if (load.landed_at >= current.landed_at || load.sha256 === current.sha256) return [];
    const isPublished = `the published run ${published.run_id} has ${current.file} landed ${current.landed_at}`;
    return [`${dataset}: ${load.file} landed ${load.landed_at}, ${isPublished}`];
  });
  const olderLive = published.live.offsets.flatMap((offset, partition) => {
    const end = live.offsets[partition] ?? 0;
    if (end >= offset) return [];
    const isPublished = `the published run ${published.run_id} up to ${offset}; a new run reads them`;
    return [`live ratings: partition ${partition} up to ${end}, ${isPublished}`];
  });
  const olderFixes = datasetNames.flatMap((dataset) => {
    const [known, current] = [fixes[dataset]?.decisions ?? 0, published.fixes[dataset]];
    const isSameSource = current?.source === sourceOf(loads[dataset].load_id);
    if (!current || !isSameSource || known >= current.decisions) return [];
    const isPublished = `the published run ${published.run_id} by ${current.decisions}; a new run does too`;
    return [`dead letters of ${dataset}: it goes by ${known} decisions, ${isPublished}`];
  });
  const older = [...olderLoads, ...olderLive, ...olderFixes];
  if (older.length === 0) return;
  throw new ServiceError(
    "older_edition",
    `this run's data is older than what is published:\n  ${older.join("\n  ")}\nThe published answers stay. To publish the older data all the same: ./box run --allow-older`,
  );
}

async function chooseLoad(
  lake: ObjectStore,
  runId: string,
  dataset: DatasetName,
  published: RunInputs | undefined,
): Promise<InputLoad> {
  const ingested = (await readHop(lake, runId, `ingest.${dataset}`))?.load_id;
  const load_id = ingested ?? published?.loads[dataset].load_id;
  if (!load_id) {
    throw new ServiceError(
      "no_load",
      `run ${runId} ingested no ${dataset} and no run is published whose ${dataset} it could use: ingest ${dataset} first`,
    );
  }
  const [manifest, sealed] = await Promise.all([
    lake.json(lakeKeys.manifest(dataset, load_id), loadManifest),
    readSeal(lake, dataset, load_id),
  ]);
  if (!manifest || !sealed) {
    throw new ServiceError("not_sealed", `load ${load_id} of ${dataset} is not sealed: seal it first (POST /seals)`);
  }
  const { file, landed_at, sha256, source_rows } = manifest;
  const { rows: bronze, dead_letters } = sealed;
  return {
    load_id,
    file,
    landed_at,
    sha256,
    source_rows,
    dead_letters,
    bronze,
    prefix: lakeKeys.bronze(dataset, load_id),
  };
}
