import { type DatasetName, groupSlices } from "@boxoffice/contracts/dataset";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { type LoadManifest, loadManifest, type Seal, seal } from "@boxoffice/contracts/loadManifest";
import type { JobContext } from "@boxoffice/platform/jobs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { writeHop } from "@boxoffice/platform/writeHop";
import { type Bronze, listGroups } from "./bronze.ts";
import { countDeadLetters, listDeadLetterSlices } from "./deadLetters.ts";

/** Body of `POST /seals`. */
export interface SealRequest {
  run_id: string;
  dataset: DatasetName;
  load_id: string;
}

export interface SealParts {
  lake: ObjectStore;
  bronze: Bronze;
  /** Why slices may never come, when that is known. */
  consumerFault: () => ServiceError | undefined;
  /** Whether Kafka has slices or dead letters of the dataset that nobody has taken to the lake. */
  hasUnread: (dataset: DatasetName) => Promise<boolean>;
  idleMilliseconds: number;
}

/** Another loader may write the groups, and tells nobody here. */
const lookAgainMilliseconds = 2_000;

/** A group that could not be written may be on its way again, ingested anew. */
const failedAfterMilliseconds = 10_000;

/** What is read is committed within this time, or shortly after. */
const goneAfterMilliseconds = 5_000;

/** Waits until the lake holds every row of a load's manifest, and says so in `_SEALED`; what does not agree is an error. */
export async function sealLoad(
  parts: SealParts,
  { run_id, dataset, load_id }: SealRequest,
  job: JobContext,
): Promise<Seal & { was_sealed: boolean }> {
  const started = Date.now();
  const { lake } = parts;
  const manifest = await lake.json(lakeKeys.manifest(dataset, load_id), loadManifest);
  if (!manifest) {
    throw new ServiceError(
      "no_manifest",
      `load ${load_id} of ${dataset} has no ${lakeKeys.manifest(dataset, load_id)}: its ingest has not ended; ingest it again`,
    );
  }
  const existing = await readSeal(lake, dataset, load_id);
  if (!existing) await waitForLoad(parts, manifest, job);
  job.progress(manifest.group_rows.length, manifest.group_rows.length, "groups");
  const written = existing ?? (await writeSeal(lake, manifest));
  await writeHop(lake, started, {
    hop: `bronze.${dataset}`,
    run_id,
    load_id,
    prefix: lakeKeys.bronze(dataset, load_id),
    rows: { [dataset]: { rows_in: manifest.rows, rows_out: written.rows, dropped: {} } },
  });
  return { ...written, was_sealed: existing !== undefined };
}

/** The seal of a load, or undefined when it has none. */
export function readSeal(lake: ObjectStore, dataset: DatasetName, loadId: string): Promise<Seal | undefined> {
  return lake.json(lakeKeys.seal(dataset, loadId), seal);
}

async function writeSeal(lake: ObjectStore, { dataset, load_id, rows, dead_letters }: LoadManifest): Promise<Seal> {
  const written: Seal = { load_id, dataset, rows, dead_letters, sealed_at: new Date().toISOString() };
  const created = await lake.create(lakeKeys.seal(dataset, load_id), JSON.stringify(written));
  return created ? written : ((await readSeal(lake, dataset, load_id)) ?? written);
}

async function waitForLoad(parts: SealParts, manifest: LoadManifest, job: JobContext): Promise<void> {
  const { lake, bronze, consumerFault, hasUnread, idleMilliseconds } = parts;
  const { dataset, load_id, group_rows } = manifest;
  let lastChange = Date.now();
  let lastState = "";
  for (;;) {
    const state = await loadState(lake, manifest);
    job.progress(state.groups, group_rows.length, "groups");
    if (state.missing.length === 0) return;
    const fault = consumerFault();
    if (fault) throw fault;
    const summary = state.missing.join("; ");
    if (summary !== lastState) lastChange = Date.now();
    lastState = summary;
    const idle = Date.now() - lastChange;
    const failure = bronze.failure(dataset, load_id);
    if (failure && idle >= Math.min(failedAfterMilliseconds, idleMilliseconds)) throw badSlice(manifest, failure);
    const refusal = bronze.refusal(dataset, load_id);
    if (idle >= idleMilliseconds) throw incomplete(manifest, summary, idle, refusal);
    if (idle >= goneAfterMilliseconds && !(await hasUnread(dataset))) {
      // Looked at again: what was unread before may be in the lake by now.
      const { missing } = await loadState(lake, manifest);
      if (missing.length > 0) throw failure ? badSlice(manifest, failure) : slicesGone(manifest, missing.join("; "));
      continue;
    }
    const wait = Math.min(lookAgainMilliseconds, idleMilliseconds - idle);
    const hasCome = await bronze.nextArrival(dataset, load_id, wait, job.signal);
    // What the lake does not take comes again and again.
    if (hasCome && !refusal) lastChange = Date.now();
  }
}

function badSlice({ dataset, load_id }: LoadManifest, { message }: Error): ServiceError {
  return new ServiceError("bad_slice", `load ${load_id} of ${dataset}: ${message}`);
}

function slicesGone({ dataset, load_id }: LoadManifest, missing: string): ServiceError {
  return new ServiceError(
    "slices_gone",
    `load ${load_id} of ${dataset} is not complete in bronze, and Kafka has nothing more of it: ${missing}. ` +
      "Kafka lost what was published, as when its volume is made anew. Run again: ingest publishes the same bytes again",
    { retryable: true },
  );
}

function incomplete(
  { dataset, load_id }: LoadManifest,
  missing: string,
  idleMilliseconds: number,
  refusal: ServiceError | undefined,
): ServiceError {
  const load = `load ${load_id} of ${dataset} is not complete in bronze, and nothing of it came`;
  const message = `${load} for ${Math.round(idleMilliseconds / 1000)} s: ${missing}`;
  // Loading it again would only need more room.
  return refusal
    ? new ServiceError("load_incomplete", `${message}. The lake does not take it: ${refusal.message}`, {
        retryable: refusal.retryable,
        cause: refusal,
      })
    : new ServiceError("load_incomplete", `${message}. Run again; if it stays so, with --full-refresh.`, {
        retryable: true,
      });
}

/** What of a manifest is in the lake and what is missing; an error when the lake holds something else. */
async function loadState(lake: ObjectStore, manifest: LoadManifest): Promise<{ groups: number; missing: string[] }> {
  const { dataset, load_id, group_rows } = manifest;
  const present = new Set<number>();
  for (const { group, rows } of await listGroups(lake, dataset, load_id)) {
    const expected = group_rows[group];
    if (expected !== rows || present.has(group)) {
      throw new ServiceError(
        "load_mismatch",
        `group ${group} of load ${load_id} of ${dataset} has ${rows} rows in bronze; ` +
          (expected === undefined
            ? `the manifest has no such group, it has ${group_rows.length}`
            : `the manifest says one object with ${expected}`),
      );
    }
    present.add(group);
  }
  const absent = group_rows.map((_rows, group) => group).filter((group) => !present.has(group));
  const missing = absent.length === 0 ? [] : [missingGroups(absent, manifest)];
  return { groups: present.size, missing: [...missing, ...(await missingDeadLetters(lake, manifest))] };
}

function missingGroups(absent: readonly number[], { slices, group_rows }: LoadManifest): string {
  const shown = absent.slice(0, 5).map((group) => {
    const from = group * groupSlices;
    return `group ${group} (slices ${from} to ${Math.min(from + groupSlices, slices) - 1}, ${group_rows[group]} rows)`;
  });
  const others = absent.length - shown.length;
  return `missing are ${shown.join(", ")}${others > 0 ? ` and ${others} more groups` : ""}`;
}

async function missingDeadLetters(lake: ObjectStore, manifest: LoadManifest): Promise<string[]> {
  const { dataset, load_id, dead_letters, dead_letter_slices } = manifest;
  if (dead_letters === 0) return [];
  const slices = await listDeadLetterSlices(lake, dataset, load_id);
  if (slices.length < dead_letter_slices) {
    return [`missing are the dead letters of ${dead_letter_slices - slices.length} of ${dead_letter_slices} slices`];
  }
  const lines = await countDeadLetters(lake, dataset, load_id);
  if (slices.length === dead_letter_slices && lines === dead_letters) return [];
  throw new ServiceError(
    "load_mismatch",
    `load ${load_id} of ${dataset} has ${lines} dead letters in ${slices.length} slices; ` +
      `the manifest says ${dead_letters} in ${dead_letter_slices}`,
  );
}
