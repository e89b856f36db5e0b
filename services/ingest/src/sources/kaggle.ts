import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { datasets } from "@boxoffice/contracts/dataset";
import type { JobContext } from "@boxoffice/platform/jobs";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { badSource, excerpt } from "../badSource.ts";
import type { Config } from "../config.ts";
import { explained, openMember } from "../unpack.ts";
import { contentTag, download, forget, type Patience } from "./download.ts";
import type { Source } from "./source.ts";

export type KaggleSettings = Pick<
  Config,
  "KAGGLE_API_URL" | "KAGGLE_DATASET" | "KAGGLE_TOKEN" | "KAGGLE_USERNAME" | "KAGGLE_KEY" | "WORK_DIR"
>;

const remedy =
  "check KAGGLE_DATASET and KAGGLE_TOKEN (or KAGGLE_USERNAME and KAGGLE_KEY; kaggle.com, Settings, API), " +
  "and that this machine reaches the address (HTTPS_PROXY is respected)";

/** The dataset on Kaggle: one zip archive, downloaded once for all the datasets in it. */
export function kaggleSource(settings: KaggleSettings, patience?: Patience): Source {
  const url = `${settings.KAGGLE_API_URL}/datasets/download/${settings.KAGGLE_DATASET}`;
  const authorization = authorizationOf(settings);
  const directory = join(settings.WORK_DIR, "kaggle");
  const path = join(directory, `${settings.KAGGLE_DATASET.replace("/", ".")}.zip`);

  const waiting = new Set<JobContext["progress"]>();
  let underWay: { ended: Promise<void>; stop: AbortController } | undefined;
  const begin = () => {
    const stop = new AbortController();
    const { signal } = stop;
    const onBytes = (done: number, total: number | null) => {
      for (const tell of waiting) tell(done, total, "bytes downloaded");
    };
    const ended = mkdir(directory, { recursive: true })
      .then(() => download({ url, path, authorization, remedy, signal, onBytes, ...(patience ? { patience } : {}) }))
      .finally(() => {
        underWay = undefined;
      });
    return { ended, stop };
  };
  const bring = async ({ signal, progress }: JobContext): Promise<void> => {
    // One that all others have given up is about to end.
    while (underWay?.stop.signal.aborted) await underWay.ended.catch(() => {});
    signal.throwIfAborted();
    underWay ??= begin();
    const { ended, stop } = underWay;
    waiting.add(progress);
    // It goes on for the others, and ends with the last.
    const leave = () => {
      waiting.delete(progress);
      if (waiting.size === 0) stop.abort(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    await ended.finally(() => {
      signal.removeEventListener("abort", leave);
      waiting.delete(progress);
    });
    signal.throwIfAborted();
  };

  // The next load downloads anew.
  const forgetCorrupt = async (error: unknown): Promise<never> => {
    if (error instanceof ServiceError && error.code === "corrupt_zip") await forget(path);
    throw error;
  };
  const readable = async function* (content: AsyncIterable<Buffer>, corrupt: (cause: unknown) => Error) {
    try {
      yield* explained(content, corrupt);
    } catch (error) {
      await forgetCorrupt(error);
    }
  };

  return {
    async open(dataset, context) {
      await bring(context);
      const corrupt = (cause: unknown) => corruptArchive(url, cause);
      const { files } = datasets[dataset];
      const member = await openMember({ file: basename(path), path }, files, corrupt).catch(forgetCorrupt);
      return { ...member, content: readable(member.content, corrupt) };
    },

    async fingerprint(_dataset, _last, signal) {
      const tag = await contentTag(url, authorization, remedy, signal);
      if (tag !== undefined) return { content: tag, quick: tag };
      throw new ServiceError("no_fingerprint", `${url} sends neither ETag nor Last-Modified: it cannot be watched`);
    },
  };
}

function authorizationOf({ KAGGLE_TOKEN, KAGGLE_USERNAME, KAGGLE_KEY }: KaggleSettings): string | undefined {
  if (KAGGLE_TOKEN) return `Bearer ${KAGGLE_TOKEN}`;
  if (!KAGGLE_USERNAME || !KAGGLE_KEY) return undefined;
  return `Basic ${Buffer.from(`${KAGGLE_USERNAME}:${KAGGLE_KEY}`).toString("base64")}`;
}

function corruptArchive(url: string, cause: unknown) {
  return badSource(
    {
      code: "corrupt_zip",
      problem: `what ${url} sent is no zip archive that can be read`,
      expected: "a whole zip archive",
      found: excerpt(cause instanceof Error ? cause.message : String(cause)),
      remedy: `start the load again: it downloads anew; if that does not help, ${remedy}`,
    },
    cause,
  );
}
