import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { JobContext } from "@boxoffice/platform/jobs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type { SourceFile } from "./sources/source.ts";

/** A source's bytes in a local file that nothing else changes. */
export interface LocalCopy {
  file: string;
  path: string;
  bytes: number;
  sha256: string;
}

/** Copies the source's bytes, and learns their sha256 on the way. */
export async function copyLocally(source: SourceFile, path: string, context: JobContext): Promise<LocalCopy> {
  const hash = createHash("sha256");
  let bytes = 0;
  const measured = async function* () {
    for await (const chunk of source.content) {
      hash.update(chunk);
      bytes += chunk.length;
      context.progress(bytes, source.bytes ?? null, "bytes copied");
      yield chunk;
    }
  };
  await pipeline(measured, createWriteStream(path), { signal: context.signal });
  return { file: source.name, path, bytes, sha256: hash.digest("hex") };
}

/** Puts the copy into the lake unchanged, unless it is there. The key holds the hash, so what is there is the same. */
export async function land(
  store: ObjectStore,
  key: string,
  copy: LocalCopy,
  signal: AbortSignal,
  onBytes: (sent: number) => void,
): Promise<void> {
  for await (const object of store.list(key)) {
    if (object.key === key && object.bytes === copy.bytes) return;
  }
  await store.upload(key, copy.path, onBytes, signal);
}
