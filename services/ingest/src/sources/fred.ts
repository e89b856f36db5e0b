import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { datasets } from "@boxoffice/contracts/dataset";
import type { Config } from "../config.ts";
import { contentTag, download, type Patience } from "./download.ts";
import type { Source } from "./source.ts";

export type FredSettings = Pick<Config, "FRED_URL" | "WORK_DIR">;

const remedy = "check FRED_URL, and that this machine reaches it (HTTPS_PROXY is respected)";

/** The consumer price index as FRED serves it: one small CSV. */
export function fredSource({ FRED_URL: url, WORK_DIR }: FredSettings, patience?: Patience): Source {
  const bring = async (signal: AbortSignal, onBytes: (done: number, total: number | null) => void): Promise<Buffer> => {
    const directory = join(WORK_DIR, "fred", randomUUID());
    const path = join(directory, "download");
    await mkdir(directory, { recursive: true });
    try {
      await download({ url, path, remedy, signal, onBytes, ...(patience ? { patience } : {}) });
      return await readFile(path);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };

  return {
    async open(dataset, { signal, progress }) {
      const csv = await bring(signal, (done, total) => progress(done, total, "bytes downloaded"));
      const name = datasets[dataset].files[0] ?? dataset;
      return { name, bytes: csv.length, content: inOnePiece(csv) };
    },

    async fingerprint(_dataset, _last, signal) {
      const tag = await contentTag(url, undefined, remedy, signal);
      const content =
        tag ??
        createHash("sha256")
          .update(await bring(signal, () => {}))
          .digest("hex");
      return { content, quick: content };
    },
  };
}

async function* inOnePiece(csv: Buffer): AsyncGenerator<Buffer> {
  yield csv;
}
