import { dirname } from "node:path/posix";
import { hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { type LoadManifest, loadManifest, seal } from "@boxoffice/contracts/loadManifest";
import type { JobContext } from "@boxoffice/platform/jobs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { badSource } from "./badSource.ts";
import { copyLocally, type LocalCopy } from "./landing.ts";
import type { LoadRequest, LoadServices } from "./load.ts";
import { loadIdOf } from "./loadIdOf.ts";

/**
 * The load that the run has landed and that is not sealed, as when Kafka lost its slices: the run stays with those
 * bytes, whatever their source holds by now. Undefined where the request, or the contract by now, makes another load.
 */
export async function landedBefore(request: LoadRequest, store: ObjectStore): Promise<LoadManifest | undefined> {
  const { run_id, dataset, append } = request;
  const report = await store.json(lakeKeys.hop(run_id, `ingest.${dataset}`), hopReport);
  if (report?.load_id === undefined || (report.appends ?? false) !== (append !== undefined)) return undefined;
  const manifest = await store.json(lakeKeys.manifest(dataset, report.load_id), loadManifest);
  if (!manifest || manifest.load_id !== loadIdOf(request, manifest.sha256)) return undefined;
  const isSealed = (await store.json(lakeKeys.seal(dataset, manifest.load_id), seal)) !== undefined;
  return isSealed ? undefined : manifest;
}

/** Copies what has landed, in place of its source, unless it is no longer what the manifest says. */
export async function copyLanded(
  manifest: LoadManifest,
  path: string,
  { store, bucket, log }: Pick<LoadServices, "store" | "bucket" | "log">,
  context: JobContext,
): Promise<LocalCopy> {
  const { dataset, load_id, file, key, bytes, sha256 } = manifest;
  const content = await store.stream(key);
  if (!content) throw landedDamaged(manifest, bucket, "no object of that key");
  const copy = await copyLocally({ name: file, bytes, content }, path, context).catch((cause: unknown) => {
    throw isChecksumMismatch(cause) ? landedDamaged(manifest, bucket, cause.message, cause) : cause;
  });
  if (copy.sha256 !== sha256) throw landedDamaged(manifest, bucket, `${copy.bytes} bytes with sha256 ${copy.sha256}`);
  log.warn(
    { dataset, load_id, key },
    "the load is not sealed: what landed is published again, its source is not opened",
  );
  return copy;
}

/** What the S3 client throws, without a class of its own, when a store kept a sum of the object and its bytes have another. */
function isChecksumMismatch(cause: unknown): cause is Error {
  return cause instanceof Error && cause.message.startsWith("Checksum mismatch");
}

function landedDamaged(manifest: LoadManifest, bucket: string, found: string, cause?: unknown) {
  const { dataset, load_id, file, key, bytes, sha256 } = manifest;
  return badSource(
    {
      code: "landed_damaged",
      problem: `${file}: load ${load_id} of ${dataset} is to be published again, and what landed of it is not in the lake any more`,
      expected: `s3://${bucket}/${key} with ${bytes} bytes and sha256 ${sha256}`,
      found,
      remedy: `put these bytes back there; or remove all that is below s3://${bucket}/${dirname(key)}/, and run again: the source is then opened anew`,
    },
    cause,
  );
}
