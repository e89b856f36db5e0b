import { createHash } from "node:crypto";
import { type DatasetName, datasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Logger } from "pino";
import { z } from "zod";
import type { Fingerprint, Source } from "./sources/source.ts";

const fingerprint = z.object({ content: z.string(), quick: z.string() });

/** What was seen last, kept in the lake so that a restart does not forget it. */
const watchMemory = z.object({
  edition: z.string(),
  /** Runs asked for so far: content that comes back after a change is a new change. */
  changes: z.number().int().nonnegative(),
  sources: z.partialRecord(datasetName, fingerprint),
});
type WatchMemory = z.infer<typeof watchMemory>;

/** What a watch looks at, and whom it asks for a run. */
export interface WatchServices {
  store: ObjectStore;
  edition: string;
  sourceOf: (dataset: DatasetName) => Source;
  /** Returns false when there is a run of that id already. */
  requestRun: (run: { run_id: string; edition: string; allow_older: true }) => Promise<boolean>;
  log: Logger;
}

/** Looks whether the sources changed since the last look, and asks for exactly one run when they did. */
export class Watch {
  readonly #services: WatchServices;
  #looking: Promise<void> | undefined;

  constructor(services: WatchServices) {
    this.#services = services;
  }

  /** One look. While one is under way, that one is waited for and no other begins. Failures are logged: the next look tries again. */
  look(signal: AbortSignal): Promise<void> {
    this.#looking ??= this.#look(signal)
      .catch((error: unknown) => {
        this.#services.log.warn({ err: error }, "could not look at the sources");
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { store, edition, requestRun, log } = this.#services;
    const key = lakeKeys.watch(digest(edition));
    const memory = await store.json(key, watchMemory);
    const sources = await this.#fingerprints(memory, signal);
    if (!sources) return;
    const remember = (changes: number) =>
      store.put(key, JSON.stringify({ edition, changes, sources } satisfies WatchMemory));
    if (!memory) {
      await remember(0);
      log.info({ edition }, "sources seen for the first time");
      return;
    }

    const changed = datasetNames.filter((dataset) => {
      const last = memory.sources[dataset];
      return last !== undefined && last.content !== sources[dataset]?.content;
    });
    if (changed.length === 0) {
      const isRemembered = datasetNames.every((dataset) => memory.sources[dataset]?.quick === sources[dataset]?.quick);
      if (!isRemembered) await remember(memory.changes);
      return;
    }
    // The id comes from the change, so that a look that was killed before it could remember asks for the same run.
    const contents = datasetNames.map((dataset) => sources[dataset]?.content);
    const run_id = `watch-${digest(JSON.stringify([edition, memory.changes, contents]))}`;
    // What the source holds now is its newest state, also when it is an earlier content that came back.
    const isNew = await requestRun({ run_id, edition, allow_older: true });
    await remember(memory.changes + 1);
    log.info({ run_id, changed, isNew }, "sources changed, run asked for");
  }

  /** Undefined while a source is being written. */
  async #fingerprints(
    memory: WatchMemory | undefined,
    signal: AbortSignal,
  ): Promise<WatchMemory["sources"] | undefined> {
    const found: Partial<Record<DatasetName, Fingerprint>> = {};
    for (const dataset of datasetNames) {
      const seen = await this.#services.sourceOf(dataset).fingerprint(dataset, memory?.sources[dataset], signal);
      if (!seen) {
        this.#services.log.info({ dataset }, "the source is being written; looking again later");
        return undefined;
      }
      found[dataset] = seen;
    }
    return found;
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
