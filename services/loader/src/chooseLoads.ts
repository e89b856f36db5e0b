import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import type { HopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { loadManifest } from "@boxoffice/contracts/loadManifest";
import { type InputLoad, loadsOf, type RunInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { readHop } from "./hopReports.ts";
import { readSeal } from "./seal.ts";

/** The loads that a run reads, and what is to be said of their choice. */
export type ChosenLoads = Pick<RunInputs, "loads" | "appended" | "notes">;

/** Of one dataset. */
interface Choice {
  base: InputLoad;
  appended: InputLoad[];
  notes: string[];
}

/**
 * The sealed loads that a run reads: what it ingested in place of the published run's base, or, where it was ingested to
 * be appended, behind all that the published run reads; of other datasets what the published run reads. What was
 * appended belongs to the bytes of its base: it stays while those do.
 */
export async function chooseLoads(
  lake: ObjectStore,
  runId: string,
  published: RunInputs | undefined,
): Promise<ChosenLoads> {
  const ingested = new Map<DatasetName, HopReport>();
  for (const dataset of datasetNames) {
    const report = await readHop(lake, runId, `ingest.${dataset}`);
    if (report) ingested.set(dataset, report);
  }
  if (!published) refuseAppended(runId, ingested);
  const [movies, links, ratings, cpi] = await Promise.all(
    datasetNames.map((dataset) => chooseOf(lake, runId, dataset, ingested.get(dataset), published)),
  );
  if (!movies || !links || !ratings || !cpi) throw new Error("a dataset is missing");
  const choices = { movies, links, ratings, cpi };
  const appended: RunInputs["appended"] = {};
  for (const dataset of datasetNames) {
    if (choices[dataset].appended.length > 0) appended[dataset] = choices[dataset].appended;
  }
  return {
    loads: { movies: movies.base, links: links.base, ratings: ratings.base, cpi: cpi.base },
    appended,
    notes: Object.values(choices).flatMap(({ notes }) => notes),
  };
}

async function chooseOf(
  lake: ObjectStore,
  runId: string,
  dataset: DatasetName,
  ingested: HopReport | undefined,
  published: RunInputs | undefined,
): Promise<Choice> {
  const load_id = ingested?.load_id ?? published?.loads[dataset].load_id;
  if (!load_id) {
    throw new ServiceError(
      "no_load",
      `run ${runId} ingested no ${dataset} and no run is published whose ${dataset} it could use: ingest ${dataset} first`,
    );
  }
  const load = await sealedLoad(lake, dataset, load_id);
  if (ingested?.appends && published) return append(load, dataset, published);
  return replaceBase(load, dataset, published);
}

function refuseAppended(runId: string, ingested: ReadonlyMap<DatasetName, HopReport>): void {
  const appends = datasetNames.filter((dataset) => ingested.get(dataset)?.appends);
  if (appends.length === 0) return;
  throw new ServiceError(
    "nothing_published",
    `run ${runId} has ${appends.join(", ")} to append, and no run is published that they could be appended to: ` +
      "run a whole edition first (./box run, or with --edition DIR), then append again",
  );
}

function append(load: InputLoad, dataset: DatasetName, published: RunInputs): Choice {
  const before = published.appended[dataset] ?? [];
  const base = published.loads[dataset];
  const same = loadsOf(published, dataset).find(({ sha256 }) => sha256 === load.sha256);
  if (!same) return { base, appended: [...before, load], notes: [] };
  const note = `${dataset}: ${load.file} holds the same bytes as ${landed(same)}, which is read already: nothing is appended`;
  return { base, appended: before, notes: [note] };
}

function replaceBase(base: InputLoad, dataset: DatasetName, published: RunInputs | undefined): Choice {
  const appended = published?.appended[dataset] ?? [];
  if (!published || appended.length === 0) return { base, appended: [], notes: [] };
  if (base.sha256 === published.loads[dataset].sha256) return { base, appended, notes: [] };
  const note =
    `${dataset}: ${base.file} holds other bytes than ${landed(published.loads[dataset])}, so what was appended to that is ` +
    `read no more: ${appended.map(landed).join(", ")}. To have it in this edition too: ./box run --append DIR`;
  return { base, appended: [], notes: [note] };
}

const landed = ({ file, landed_at }: InputLoad) => `${file} landed ${landed_at}`;

async function sealedLoad(lake: ObjectStore, dataset: DatasetName, load_id: string): Promise<InputLoad> {
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
