import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type DatasetName, datasetName, datasets } from "@boxoffice/contracts/dataset";
import { runId } from "@boxoffice/contracts/job";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { type LoadManifest, loadManifest, seal } from "@boxoffice/contracts/loadManifest";
import { deadLetterTopic } from "@boxoffice/contracts/slice";
import type { JobContext } from "@boxoffice/platform/jobs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { writeHop } from "@boxoffice/platform/writeHop";
import type { Logger } from "pino";
import { z } from "zod";
import { badSource, excerpt } from "./badSource.ts";
import { copyLanded, landedBefore } from "./landed.ts";
import { copyLocally, type LocalCopy, land } from "./landing.ts";
import { loadIdOf } from "./loadIdOf.ts";
import type { Publisher } from "./publish.ts";
import { sliceEncoder } from "./sliceEncoder.ts";
import { emptySource, slices } from "./slices.ts";
import { datasetsIn, directorySource } from "./sources/directory.ts";
import type { Source } from "./sources/source.ts";
import { Spool } from "./spool.ts";
import { percentOf, Tally } from "./tally.ts";
import { unpack } from "./unpack.ts";

/** Body of `POST /loads`; without `edition` the service's own. */
export const loadRequest = z
  .strictObject({
    run_id: runId,
    dataset: datasetName,
    edition: z.string().min(1).optional(),
    full_refresh: z.boolean().default(false),
    /** A directory with records to be added to what is published, in files as an edition has them; it may lack some. */
    append: z.string().min(1).optional(),
  })
  .refine(
    ({ append, edition, full_refresh }) => append === undefined || (edition === undefined && !full_refresh),
    "append excludes edition and full_refresh: it adds to what is published",
  );
export type LoadRequest = z.infer<typeof loadRequest>;

export interface LoadServices {
  store: ObjectStore;
  /** The bucket's name, for messages. */
  bucket: string;
  publisher: Publisher;
  sourceOf: (edition: string | undefined, dataset: DatasetName) => Source;
  workDirectory: string;
  maxRejectPercent: number;
  log: Logger;
}

/** What a load's job ends with. */
export interface LoadResult extends Record<string, unknown> {
  load_id: string;
  file: string;
  source_rows: number;
  rows: number;
  dead_letters: number;
  /** The same bytes were loaded before, and every row of them is in the lake: nothing was done. */
  already: boolean;
}

/** What the job ends with when the directory to append has no file of the dataset. */
export interface NothingToLoad extends Record<string, unknown> {
  load_id: null;
}

/** The load that is asked for, unless the directory to append has no file of the dataset. */
export async function loadIfThere(
  request: LoadRequest,
  services: LoadServices,
  context: JobContext,
): Promise<LoadResult | NothingToLoad> {
  const { append, dataset } = request;
  const mayLack = append !== undefined && !(await landedBefore(request, services.store));
  if (mayLack && !(await datasetsIn(append)).includes(dataset)) return { load_id: null };
  return load(request, services, context);
}

const emptiedKafka =
  "Kafka was emptied while this service ran, and its topics were made anew. " +
  "What was on them and not in bronze comes again when its load is asked for again";

/** One dataset's road from its source to the lake's raw/ and onto its topic. The same again only repeats. */
export async function load(request: LoadRequest, services: LoadServices, context: JobContext): Promise<LoadResult> {
  const started = Date.now();
  const directory = join(services.workDirectory, "loads", randomUUID());
  await mkdir(directory, { recursive: true });
  try {
    const path = join(directory, "source");
    const landed = await landedBefore(request, services.store);
    const copy = landed
      ? await copyLanded(landed, path, services, context)
      : await copyLocally(await openSource(request, services, context), path, context);
    if (copy.bytes === 0) throw emptySource(copy.file, false);
    const loadId = loadIdOf(request, copy.sha256);
    const known = await services.store.json(lakeKeys.manifest(request.dataset, loadId), loadManifest);
    // Without its seal a load may have lost slices on their way: they are published again, as they were.
    const isSealed = (await services.store.json(lakeKeys.seal(request.dataset, loadId), seal)) !== undefined;
    const whole = isSealed ? known : undefined;
    const rejects = whole && rejectsOf(whole);
    if (rejects && rejects.rejectPercent > services.maxRejectPercent) {
      throw tooManyRejects(copy.file, rejects, services, lakeKeys.deadLetters(request.dataset, loadId));
    }
    const manifest = whole ?? (await loadCopy(request.dataset, loadId, copy, directory, services, context));
    const { load_id, file, bytes, source_rows, rows, dead_letters, rejected } = manifest;
    await writeHop(services.store, started, {
      hop: `ingest.${request.dataset}`,
      run_id: request.run_id,
      rows: { [request.dataset]: { rows_in: source_rows, rows_out: rows, dropped: rejected } },
      bytes,
      load_id,
      ...(request.append === undefined ? {} : { appends: true }),
    });
    return { load_id, file, source_rows, rows, dead_letters, already: whole !== undefined };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function openSource({ append, edition, dataset }: LoadRequest, { sourceOf }: LoadServices, context: JobContext) {
  const source = append === undefined ? sourceOf(edition, dataset) : directorySource(append);
  return source.open(dataset, context);
}

async function loadCopy(
  dataset: DatasetName,
  loadId: string,
  copy: LocalCopy,
  directory: string,
  services: LoadServices,
  context: JobContext,
): Promise<LoadManifest> {
  const { store, publisher, log } = services;
  const key = lakeKeys.source(dataset, loadId, copy.file);
  const spool = await Spool.create(join(directory, "slices"));
  let isChecked = false;
  // Beside the check, as one waits for the lake and the other for the processor.
  const landing = land(store, key, copy, context.signal, (sent) => {
    if (isChecked) context.progress(sent, copy.bytes, "bytes landed");
  });
  // Whoever waits for it hears of its failure; until then it is none that nobody handles.
  landing.catch(() => {});
  try {
    const tally = new Tally();
    const contract = datasets[dataset];
    const encode = sliceEncoder(dataset, loadId, contract);
    const { text, read, bytes } = await unpack(copy, contract.files);
    let header: readonly string[] = [];
    const onHeader = (names: readonly string[]) => {
      header = names;
    };
    for await (const slice of slices({ dataset, loadId, file: copy.file, text, onHeader })) {
      context.signal.throwIfAborted();
      tally.add(slice);
      for (const message of encode(slice)) await spool.add(message);
      context.progress(read(), bytes, "bytes checked");
    }
    isChecked = true;
    await landing;
    if (tally.rejectPercent > services.maxRejectPercent) {
      await keepDeadLetters(dataset, loadId, spool, store);
      throw tooManyRejects(copy.file, tally, services, lakeKeys.deadLetters(dataset, loadId));
    }
    let published = 0;
    const made = await publisher.publish(spool.messages(), context.signal, ({ headers }) => {
      published += Number(headers.rows);
      context.progress(published, tally.sourceRows, "rows published");
    });
    if (made.length > 0) log.warn({ topics: made }, emptiedKafka);
    const manifest: LoadManifest = {
      load_id: loadId,
      dataset,
      contract_version: contract.version,
      file: copy.file,
      key,
      bytes: copy.bytes,
      sha256: copy.sha256,
      landed_at: new Date().toISOString(),
      ...tally.counts(),
      header: [...header],
    };
    const manifestKey = lakeKeys.manifest(dataset, loadId);
    const created = await store.create(manifestKey, JSON.stringify(manifest));
    log.info({ dataset, load_id: loadId, rows: manifest.rows, dead_letters: manifest.dead_letters }, "loaded");
    // The first manifest stays: it says when the load landed.
    return created ? manifest : ((await store.json(manifestKey, loadManifest)) ?? manifest);
  } finally {
    // What is bad as a whole is kept too, and the file that it is sent from must stay until it is.
    await Promise.allSettled([landing, spool.close()]);
  }
}

/** Where the loader would put them, had they been published, so that they can be looked at. */
async function keepDeadLetters(dataset: DatasetName, loadId: string, spool: Spool, store: ObjectStore): Promise<void> {
  for await (const { topic, headers, value } of spool.messages()) {
    if (topic === deadLetterTopic) {
      await store.create(lakeKeys.deadLetterSlice(dataset, loadId, Number(headers.slice)), value);
    }
  }
}

type Rejects = Pick<Tally, "rejected" | "rejectPercent" | "deadLetters" | "sourceRows" | "firstDeadLetters">;

/** A manifest counts the rejects; which came first is not in it. */
function rejectsOf({ rejected, dead_letters, source_rows }: LoadManifest): Rejects {
  return {
    rejected,
    rejectPercent: percentOf(dead_letters, source_rows),
    deadLetters: dead_letters,
    sourceRows: source_rows,
    firstDeadLetters: [],
  };
}

function tooManyRejects(file: string, tally: Rejects, { bucket, maxRejectPercent }: LoadServices, prefix: string) {
  const rules = Object.entries(tally.rejected).map(([rule, count]) => `${rule} ${count}`);
  const examples = tally.firstDeadLetters.map(({ line, reason }) => `    line ${line}: ${excerpt(reason)}`);
  return badSource({
    code: "too_many_rejects",
    problem: `${file}: ${tally.deadLetters} of ${tally.sourceRows} records break the contract (${tally.rejectPercent.toFixed(1)} %)`,
    expected: `at most ${maxRejectPercent} % (MAX_REJECT_PERCENT)`,
    found: [rules.join(", "), ...(examples.length > 0 ? [`the first:\n${examples.join("\n")}`] : [])].join("; "),
    remedy: `correct the file, or raise MAX_REJECT_PERCENT; every rejected record is in s3://${bucket}/${prefix}`,
  });
}
