import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "pino";
import { allPartitions, dropPartition } from "./partitions.ts";
import { isShared, sharedTable } from "./sharedFacts.ts";
import { inTransaction, publishedRun, whileNonePublishes } from "./warehouse.ts";

/** How long a sweep waits for readers, and how often it looks. */
const patience = { milliseconds: 30_000, pollMilliseconds: 200 };

/**
 * Removes the versions beyond the newest published ones that are kept. Runs that were never published go when they are
 * older than the oldest kept version, so a run that is under way is not touched. Ratings that a later run shares stay for
 * as long as that, and all versions for as long as a transaction may see one that was published before. What fails is
 * tried at the next sweep.
 */
export async function sweepVersions(
  pool: pg.Pool,
  keepVersions: number,
  log: Logger,
  { milliseconds, pollMilliseconds } = patience,
): Promise<void> {
  const loadedAt = new Map<string, string>();
  const partitions = await allPartitions(pool);
  for (const { state } of partitions) {
    const { comment } = state;
    if (!comment) continue;
    const before = loadedAt.get(comment.run_id);
    if (before === undefined || comment.loaded_at < before) loadedAt.set(comment.run_id, comment.loaded_at);
  }
  const old = oldRuns(loadedAt, await publishedRuns(pool), await publishedRun(pool), keepVersions);
  if (old.length === 0) return;
  const waitedSince = Date.now();
  while ((await earlierReaders(pool)).length > 0 && Date.now() - waitedSince < milliseconds) {
    await sleep(pollMilliseconds);
  }
  for (const runId of old) {
    try {
      await whileNonePublishes(pool, async () => {
        if ((await publishedRun(pool)) === runId) return;
        const readers = await earlierReaders(pool);
        if (readers.length > 0) throw new Error(`sessions that may read it are open: ${readers.join(", ")}`);
        await removeRows(pool, runId);
        const isNeeded = await isShared(pool, runId);
        const going = partitions.filter(
          ({ partition, state }) => state.comment?.run_id === runId && !(isNeeded && partition.table === sharedTable),
        );
        if (going.length === 0) return;
        for (const { partition } of going) await dropPartition(pool, partition);
        log.info({ run_id: runId }, "version swept");
      });
    } catch (error) {
      log.warn({ run_id: runId, reason: error instanceof Error ? error.message : String(error) }, "version not swept");
    }
  }
}

/**
 * The sessions, by process id in the warehouse, whose snapshot may be from before the last publication. In one that began
 * with another version as the current one, every later statement reads that version, of tables it has not locked yet too.
 */
async function earlierReaders(pool: pg.Pool): Promise<number[]> {
  const { rows } = await pool.query<{ pid: number }>(
    `select activity.pid
     from pg_stat_activity as activity, marts.current
     where activity.datname = current_database() and activity.backend_type = 'client backend'
       and activity.pid <> pg_backend_pid() and age(activity.backend_xmin) >= age(current.xmin)`,
  );
  return rows.map(({ pid }) => pid);
}

/** Every run of which the warehouse has anything. */
export async function keptRuns(pool: pg.Pool): Promise<Set<string>> {
  const runs = await publishedRuns(pool);
  for (const { state } of await allPartitions(pool)) if (state.comment) runs.add(state.comment.run_id);
  return runs;
}

/** The runs to remove, given when each was loaded. */
export function oldRuns(
  loadedAt: ReadonlyMap<string, string>,
  published: ReadonlySet<string>,
  current: string | null,
  keepVersions: number,
): string[] {
  if (current === null) return [];
  const newestFirst = [...loadedAt]
    .filter(([run]) => published.has(run) && run !== current)
    .sort(([, a], [, b]) => (a < b ? 1 : -1))
    .map(([run]) => run);
  const kept = new Set([current, ...newestFirst.slice(0, keepVersions - 1)]);
  const [oldest = ""] = [...kept].map((run) => loadedAt.get(run) ?? "").sort();
  return [...loadedAt].filter(([run, loaded]) => !kept.has(run) && loaded < oldest).map(([run]) => run);
}

async function publishedRuns(pool: pg.Pool): Promise<Set<string>> {
  const { rows } = await pool.query<{ run_id: string }>("select run_id from mart_versions.run_summary");
  return new Set(rows.map(({ run_id }) => run_id));
}

/** Removes the run's answers. */
async function removeRows(pool: pg.Pool, runId: string): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select c.relname as name
       from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attname = 'run_id'
       where c.relnamespace = 'mart_versions'::regnamespace and c.relkind = 'r'`,
    );
    for (const { name } of rows) {
      await client.query(`delete from mart_versions.${pg.escapeIdentifier(name)} where run_id = $1`, [runId]);
    }
  });
}
