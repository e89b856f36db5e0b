import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { EnvHttpProxyAgent, fetch, type Response } from "undici";
import { z } from "zod";
import { badSource } from "../badSource.ts";

/** How long a download is tried. */
export interface Patience {
  /** Failures in a row that brought nothing worth mentioning. */
  failures: number;
  firstDelayMilliseconds: number;
  longestDelayMilliseconds: number;
  /** A server that asks to wait longer than this is not waited for. */
  longestRetryAfterMilliseconds: number;
}

export const usualPatience: Patience = {
  failures: 6,
  firstDelayMilliseconds: 1_000,
  longestDelayMilliseconds: 30_000,
  longestRetryAfterMilliseconds: 120_000,
};

export interface Download {
  url: string;
  /** Where the file will be. What is unfinished stays beside it, to be taken up again. */
  path: string;
  /** Sent to the host of the url, not to one it redirects to. */
  authorization?: string | undefined;
  /** What a person can do when the server refuses. */
  remedy: string;
  patience?: Patience;
  signal: AbortSignal;
  onBytes: (done: number, total: number | null) => void;
}

/** A failure that may pass; the server may have said when. */
class Interrupted extends Error {
  readonly retryAfterMilliseconds: number | undefined;

  constructor(message: string, options: { retryAfterMilliseconds?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAfterMilliseconds = options.retryAfterMilliseconds;
  }
}

/** What the server said about the content of the file, or of its unfinished part. */
const contentState = z.object({
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  total: z.number().nullable(),
});
type ContentState = z.infer<typeof contentState>;

/** Growth that counts as getting on. */
const worthMentioning = 1 << 20;
const silenceMilliseconds = 60_000;
const network = new EnvHttpProxyAgent({ headersTimeout: silenceMilliseconds, bodyTimeout: silenceMilliseconds });

/**
 * Brings a file over HTTP, unless the one that is there is still the server's. Takes up what is unfinished where the
 * server can prove that it is the same content; tries again, with an end, when it is busy or the connection is cut.
 */
export async function download(wanted: Download): Promise<void> {
  const patience = wanted.patience ?? usualPatience;
  let furthest = 0;
  for (let failures = 0; ; ) {
    try {
      return await attempt(wanted);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      const reached = await sizeOf(partOf(wanted.path));
      failures = reached >= furthest + worthMentioning ? 1 : failures + 1;
      furthest = Math.max(furthest, reached);
      const askedToWait = error.retryAfterMilliseconds ?? 0;
      if (failures >= patience.failures || askedToWait > patience.longestRetryAfterMilliseconds) {
        throw gaveUp(wanted, failures, error);
      }
      const backoff = Math.min(
        patience.longestDelayMilliseconds,
        patience.firstDelayMilliseconds * 2 ** (failures - 1),
      );
      await sleep(Math.max(askedToWait, backoff * (0.5 + Math.random() / 2)), undefined, { signal: wanted.signal });
    }
  }
}

async function attempt(wanted: Download): Promise<void> {
  const { path, signal } = wanted;
  const part = partOf(path);
  const known = await readState(path);
  const isComplete = known !== undefined && (await sizeOf(path)) > 0;
  const have = known !== undefined && !isComplete ? await sizeOf(part) : 0;

  const response = await request(wanted, isComplete ? unlessSame(known) : theRest(known, have));
  if (response.status === 304) return;
  if (isComplete && isSame(known, stateOf(response))) return discard(response);
  if (response.status === 416) {
    await forget(path);
    throw new Interrupted("the server does not have the rest of the file any more");
  }
  refuse(wanted, response);

  const isRest = response.status === 206;
  if (isRest && !response.headers.get("content-range")?.startsWith(`bytes ${have}-`)) {
    await discard(response);
    await forget(path);
    throw new Interrupted("the server sent another part than the one asked for");
  }
  const state = isRest && known ? known : stateOf(response);
  if (!isRest) {
    await forget(path);
    await writeFile(statePath(path), JSON.stringify(state));
  }
  const bytes = await write(response, part, isRest ? have : 0, state.total, wanted);
  signal.throwIfAborted();
  if (state.total !== null && bytes !== state.total) {
    if (bytes > state.total) await forget(path);
    throw new Interrupted(`${bytes} of ${state.total} bytes came`);
  }
  await rename(part, path);
}

async function request(
  { url, authorization, signal }: Download,
  conditions: Record<string, string>,
): Promise<Response> {
  const headers = { ...plainRequest(authorization), ...conditions };
  return fetch(url, { headers, signal, dispatcher: network }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new Interrupted(reason(cause), { cause });
  });
}

function plainRequest(authorization: string | undefined): Record<string, string> {
  return {
    "user-agent": "boxoffice-ingest",
    // Ranges and lengths count the bytes that are sent.
    "accept-encoding": "identity",
    ...(authorization === undefined ? {} : { authorization }),
  };
}

function unlessSame(known: ContentState): Record<string, string> {
  return {
    ...(known.etag === null ? {} : { "if-none-match": known.etag }),
    ...(known.lastModified === null ? {} : { "if-modified-since": known.lastModified }),
  };
}

function theRest(known: ContentState | undefined, have: number): Record<string, string> {
  const strongEtag = known?.etag?.startsWith("W/") ? null : known?.etag;
  const proof = strongEtag ?? known?.lastModified;
  return have > 0 && proof ? { range: `bytes=${have}-`, "if-range": proof } : {};
}

function isSame(known: ContentState, now: ContentState): boolean {
  if (known.etag !== null || now.etag !== null) return known.etag === now.etag;
  return known.lastModified !== null && known.lastModified === now.lastModified && known.total === now.total;
}

function stateOf(response: Response): ContentState {
  const length = response.headers.get("content-length");
  return {
    etag: response.headers.get("etag"),
    lastModified: response.headers.get("last-modified"),
    total: length === null ? null : Number(length),
  };
}

function refuse({ url, remedy }: Pick<Download, "url" | "remedy">, response: Response): void {
  if (response.status === 200 || response.status === 206) return;
  void discard(response);
  const answer = `the server answered ${response.status} ${response.statusText}`.trim();
  if (response.status === 429 || response.status === 408 || response.status >= 500) {
    throw new Interrupted(answer, { retryAfterMilliseconds: retryAfter(response) });
  }
  throw badSource({
    code: "download_refused",
    problem: `${url} cannot be downloaded`,
    expected: "the file",
    found: answer,
    remedy,
  });
}

function retryAfter(response: Response): number | undefined {
  const value = response.headers.get("retry-after");
  if (value === null) return undefined;
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

async function write(
  response: Response,
  part: string,
  from: number,
  total: number | null,
  { signal, onBytes }: Download,
): Promise<number> {
  const file = await open(part, from > 0 ? "a" : "w");
  try {
    return await pour(response, file, from, (bytes) => onBytes(bytes, total));
  } catch (cause) {
    signal.throwIfAborted();
    throw cause;
  } finally {
    await file.close();
  }
}

async function pour(
  response: Response,
  file: FileHandle,
  from: number,
  onBytes: (bytes: number) => void,
): Promise<number> {
  let bytes = from;
  const reader = response.body?.getReader();
  for (;;) {
    const next = await reader?.read().catch((cause: unknown) => {
      throw new Interrupted(`the connection was cut after ${bytes} bytes: ${reason(cause)}`, { cause });
    });
    if (!next || next.done) return bytes;
    await file.writeFile(next.value);
    bytes += next.value.length;
    onBytes(bytes);
  }
}

function gaveUp({ url, remedy }: Download, failures: number, last: Interrupted): Error {
  const wait = last.retryAfterMilliseconds;
  const asked = wait === undefined ? "" : `, and asks to wait ${Math.ceil(wait / 1000)} s`;
  return badSource(
    {
      code: "download_failed",
      problem: `${url} cannot be downloaded`,
      expected: "the whole file",
      found: `${last.message}${asked} (${failures} ${failures === 1 ? "failure" : "failures in a row"})`,
      remedy: `try again later, what came is taken up again; or ${remedy}`,
      retryable: true,
    },
    last,
  );
}

/** What the server says about the content now, without bringing it; undefined when it says nothing. */
export async function contentTag(url: string, authorization: string | undefined, remedy: string, signal: AbortSignal) {
  const ask = async (method: string) => {
    const response = await fetch(url, { method, headers: plainRequest(authorization), signal, dispatcher: network });
    await discard(response);
    return response;
  };
  const head = await ask("HEAD");
  // An address signed for GET alone refuses HEAD.
  const response = head.ok ? head : await ask("GET");
  refuse({ url, remedy }, response);
  return response.headers.get("etag") ?? response.headers.get("last-modified") ?? undefined;
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}

async function readState(path: string): Promise<ContentState | undefined> {
  const text = await readFile(statePath(path), "utf8").catch(() => "null");
  try {
    return contentState.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Removes a download, finished or not. */
export async function forget(path: string): Promise<void> {
  for (const each of [path, partOf(path), statePath(path)]) await rm(each, { force: true });
}

function partOf(path: string): string {
  return `${path}.part`;
}

function statePath(path: string): string {
  return `${path}.state.json`;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function reason(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  return cause instanceof Error ? cause.message : String(cause);
}
