import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "pino";
import { z } from "zod";

/** By partition, the offset that bronze is to reach. */
const flushRequest = z.array(z.number().int().nonnegative());

const channel = "live_flush";
const answerMilliseconds = 2_000;
const lookMilliseconds = 5_000;
const reconnectMilliseconds = 500;

/**
 * Asks all loaders, the asking one too, to write the live ratings that they have read to bronze. One that has no
 * connection at the moment, or has not read them yet, misses it: whoever waits asks again.
 */
export async function requestFlush(pool: pg.Pool, ends: readonly number[]): Promise<void> {
  await pool.query(soon("select pg_notify($1, $2)", [channel, JSON.stringify(ends)]));
}

interface Hearing {
  pool: pg.Pool;
  /** Called for each request; it must bear repetition. */
  onRequest: (ends: readonly number[]) => void;
  log: Logger;
  signal: AbortSignal;
}

/** Hears the requests of all loaders on a connection of its own, and on another when that is lost, until aborted. */
export async function hearFlushRequests(hearing: Hearing): Promise<void> {
  const { log, signal } = hearing;
  while (!signal.aborted) {
    try {
      await hearOnOneConnection(hearing);
    } catch (error) {
      log.warn(
        { reason: (error as Error).message },
        "requests for live ratings are not heard until the next connection",
      );
      await sleep(reconnectMilliseconds, undefined, { signal }).catch(() => {});
    }
  }
}

async function hearOnOneConnection({ pool, onRequest, log, signal }: Hearing): Promise<void> {
  const client = await pool.connect();
  const lost = new AbortController();
  client.once("end", () => lost.abort());
  client.on("notification", ({ payload = "" }) => {
    const ends = parseRequest(payload);
    if (ends) onRequest(ends);
    else log.warn("what was heard is not a request for live ratings: another version of the loader sent it");
  });
  const isOver = AbortSignal.any([signal, lost.signal]);
  try {
    while (!signal.aborted) {
      // The same again changes nothing, and fails where the connection is gone and nobody has said so.
      await client.query(soon(`listen ${channel}`));
      await sleep(lookMilliseconds, undefined, { signal: isOver }).catch(() => {});
    }
  } finally {
    // It listens for as long as it is open.
    client.release(true);
  }
}

/** A query that fails when it takes long. The client's types do not know that a single one may have a limit. */
function soon(text: string, values: string[] = []): pg.QueryConfig & { query_timeout: number } {
  return { text, values, query_timeout: answerMilliseconds };
}

function parseRequest(payload: string): readonly number[] | undefined {
  try {
    return flushRequest.safeParse(JSON.parse(payload)).data;
  } catch {
    return undefined;
  }
}
