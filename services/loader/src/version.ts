import type { JobContext } from "@boxoffice/platform/jobs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { writeHop } from "@boxoffice/platform/writeHop";
import type pg from "pg";
import { copyTable } from "./copyTable.ts";
import { goldBatches } from "./gold.ts";
import { requireHop } from "./hopReports.ts";
import {
  addUniqueKey,
  attachPartition,
  countRows,
  createPartition,
  dropPartition,
  goldTables,
  type Partition,
  type PartitionComment,
  partitionOf,
  partitionState,
} from "./partitions.ts";
import { inTransaction, publishedRun, whileNonePublishes } from "./warehouse.ts";

const tablesAtOnce = 2;

interface TableLoad {
  partition: Partition;
  columns: string[];
  rows: number;
  comment: PartitionComment;
}

/** Copies a run's gold tables into the warehouse as a new version, which nobody sees until it is published. */
export async function loadVersion(
  lake: ObjectStore,
  pool: pg.Pool,
  runId: string,
  job: JobContext,
): Promise<{ run_id: string; rows: number; tables: Record<string, number> }> {
  const started = Date.now();
  const gold = await requireHop(lake, runId, "gold");
  const { prefix, tables } = gold;
  if (prefix === undefined || tables === undefined) {
    throw new ServiceError("bad_gold", `the gold report of run ${runId} names no prefix or no tables`);
  }
  const comment: PartitionComment = { run_id: runId, prefix, loaded_at: new Date().toISOString() };
  const loads = tableLoads(runId, await goldTables(pool), tables, comment);
  const total = loads.reduce((sum, { rows }) => sum + rows, 0);
  const counted = new Map<string, number>();
  let done = 0;
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, stop.signal]);
  const onRows = (copied: number) => {
    done += copied;
    job.progress(done, total, "rows");
  };
  // The largest first, so that none is left alone at the end.
  const queue = loads.toSorted((a, b) => b.rows - a.rows)[Symbol.iterator]();
  const worker = async () => {
    for (const load of queue) {
      counted.set(load.partition.table, await loadTable(lake, pool, load, signal, onRows));
    }
  };
  const workers = Array.from({ length: tablesAtOnce }, () => worker().catch((error) => stop.abort(error)));
  await Promise.all(workers);
  signal.throwIfAborted();
  job.progress(total, total, "rows");
  const out = Object.fromEntries(loads.map(({ partition: { table } }) => [table, counted.get(table) ?? 0]));
  await writeHop(lake, started, {
    hop: "warehouse",
    run_id: runId,
    prefix,
    tables: out,
    rows: Object.fromEntries(
      loads.map(({ partition: { table }, rows }) => [table, { rows_in: rows, rows_out: out[table] ?? 0, dropped: {} }]),
    ),
  });
  return { run_id: runId, rows: total, tables: out };
}

function tableLoads(
  runId: string,
  known: Map<string, string[]>,
  tables: Record<string, number>,
  comment: PartitionComment,
): TableLoad[] {
  const missing = [...known.keys()].filter((table) => tables[table] === undefined);
  const unknown = Object.keys(tables).filter((table) => !known.has(table));
  if (missing.length > 0 || unknown.length > 0) {
    throw new ServiceError(
      "bad_gold",
      `gold of run ${runId} lacks the tables [${missing.join(", ")}] and has [${unknown.join(", ")}] that the warehouse has not`,
    );
  }
  return [...known].map(([table, columns]) => ({
    partition: partitionOf(table, runId),
    columns,
    rows: tables[table] ?? 0,
    comment,
  }));
}

/** Loads one table of the version unless it is there; answers its rows as the warehouse counts them. */
async function loadTable(
  lake: ObjectStore,
  pool: pg.Pool,
  load: TableLoad,
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<number> {
  const { partition } = load;
  const state = await partitionState(pool, partition);
  if (state) {
    const isSame = state.attached && !state.detaching && state.comment?.prefix === load.comment.prefix;
    const rows = isSame ? await countRows(pool, partition) : undefined;
    if (rows === load.rows) return rows;
    await whileNonePublishes(pool, async () => {
      await refuseIfPublished(pool, load.comment.run_id);
      await dropPartition(pool, partition);
    });
  }
  signal.throwIfAborted();
  const rows = await inTransaction(pool, (client) => copyAndAttach(lake, client, load, signal, onRows));
  await pool.query(`analyze ${partition.quoted}`);
  return rows;
}

/** One transaction from making the table to attaching it: killed anywhere in it, nothing was done. */
async function copyAndAttach(
  lake: ObjectStore,
  client: pg.PoolClient,
  { partition, columns, rows, comment }: TableLoad,
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<number> {
  const { table, quoted } = partition;
  await createPartition(client, partition, comment);
  await copyTable(client, goldBatches(lake, comment.prefix, table), { into: quoted, columns, signal, onRows });
  const counted = await countRows(client, partition);
  if (counted !== rows) {
    throw new ServiceError(
      "version_mismatch",
      `table ${table} of run ${comment.run_id} has ${counted} rows below ${comment.prefix}; gold.json says ${rows}` +
        (counted === 0 ? ". What a run left in the lake is swept in time: start a new run" : ""),
    );
  }
  await addUniqueKey(client, partition);
  await attachPartition(client, partition, comment.run_id);
  return counted;
}

async function refuseIfPublished(pool: pg.Pool, runId: string): Promise<void> {
  if ((await publishedRun(pool)) !== runId) return;
  throw new ServiceError(
    "published_version",
    `run ${runId} is published, and its gold tables in the lake are not the ones that were: start a new run`,
  );
}
