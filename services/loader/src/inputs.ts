import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { sourceOf } from "@boxoffice/contracts/loadId";
import { type LiveInput, loadsOf, type RunInputs, runInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { chooseLoads } from "./chooseLoads.ts";
import { fixFixes } from "./fixesInput.ts";

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
 * Fixes the sealed loads that a run reads. And the live ratings: those that there are now. And what was decided until
 * now about dead letters of these loads.
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
  const chosen = await chooseLoads(lake, run_id, published);
  const edition = datasetNames.map((dataset) => filesOf(chosen, dataset)).join(", ");
  const live = await fixLive(published?.live);
  const fixes = await fixFixes(lake, chosen);
  if (!allow_older) refuseOlder({ ...chosen, live, fixes }, published);
  const inputs: RunInputs = {
    run_id,
    edition,
    fixed_at: new Date().toISOString(),
    published_run: published?.run_id ?? null,
    ...chosen,
    live,
    fixes,
  };
  const created = await lake.create(lakeKeys.hop(run_id, "inputs"), JSON.stringify(inputs, undefined, 2));
  return created ? inputs : ((await readInputs(lake, run_id)) ?? inputs);
}

function filesOf(inputs: Pick<RunInputs, "loads" | "appended">, dataset: DatasetName): string {
  const appended = inputs.appended[dataset]?.length ?? 0;
  return `${inputs.loads[dataset].file}${appended > 0 ? ` and ${appended} appended` : ""}`;
}

/**
 * Throws `older_edition` when a load landed before the one that the published run used, and is not the same bytes, or
 * when it is, and lacks what was appended to them; when the published run has read further in the live ratings: those
 * would be neither in the run nor beside it; or when it goes by more decisions about dead letters of the same bytes.
 */
export function refuseOlder(
  run: Pick<RunInputs, "loads" | "appended" | "live" | "fixes">,
  published: RunInputs | undefined,
): void {
  if (!published) return;
  const { loads, appended, live, fixes } = run;
  const olderLoads = datasetNames.flatMap((dataset) => {
    const [load, current] = [loads[dataset], published.loads[dataset]];
    if (load.landed_at >= current.landed_at || load.sha256 === current.sha256) return [];
    const isPublished = `the published run ${published.run_id} has ${current.file} landed ${current.landed_at}`;
    return [`${dataset}: ${load.file} landed ${load.landed_at}, ${isPublished}`];
  });
  const lackingLoads = datasetNames.flatMap((dataset) => {
    if (loads[dataset].sha256 !== published.loads[dataset].sha256) return [];
    const read = new Set(appended[dataset]?.map(({ load_id }) => load_id));
    const lacking = published.appended[dataset]?.filter(({ load_id }) => !read.has(load_id)) ?? [];
    return lacking.map(
      ({ file, landed_at }) =>
        `${dataset}: it lacks ${file} landed ${landed_at}, which was appended to what the published run ${published.run_id} reads; a new run has it`,
    );
  });
  const olderLive = published.live.offsets.flatMap((offset, partition) => {
    const end = live.offsets[partition] ?? 0;
    if (end >= offset) return [];
    const isPublished = `the published run ${published.run_id} up to ${offset}; a new run reads them`;
    return [`live ratings: partition ${partition} up to ${end}, ${isPublished}`];
  });
  const olderFixes = datasetNames.flatMap((dataset) => {
    const sources = new Set(loadsOf(run, dataset).map(({ load_id }) => sourceOf(load_id)));
    return (published.fixes[dataset] ?? []).flatMap(({ source, decisions }) => {
      const known = fixes[dataset]?.find((one) => one.source === source)?.decisions ?? 0;
      if (!sources.has(source) || known >= decisions) return [];
      const isPublished = `the published run ${published.run_id} by ${decisions}; a new run does too`;
      return [`dead letters of ${dataset}: it goes by ${known} decisions, ${isPublished}`];
    });
  });
  const older = [...olderLoads, ...lackingLoads, ...olderLive, ...olderFixes];
  if (older.length === 0) return;
  throw new ServiceError(
    "older_edition",
    `this run's data is older than what is published:\n  ${older.join("\n  ")}\nThe published answers stay. To publish the older data all the same: ./box run --allow-older`,
  );
}
