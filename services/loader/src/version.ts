import { type HopReport, partsOf, type TableParts } from "@boxoffice/contracts/hopReport";
import type { JobContext } from "@boxoffice/platform/jobs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { writeHop } from "@boxoffice/platform/writeHop";
import type { Table } from "apache-arrow";
import type pg from "pg";
import { copyTuples, type TupleBatch } from "./copyBinary.ts";
import { copyTable } from "./copyTable.ts";
import { tellLoading } from "./endedRun.ts";
import { findRoom, type Room, removePlaces } from "./factsRoom.ts";
import { requireHop } from "./hopReports.ts";
import { lakeBatches } from "./lakeBatches.ts";
import { readLinks } from "./moviesOfLinks.ts";
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
import { removePublication } from "./publish.ts";
import { RatingTuples } from "./ratingTuples.ts";
import {
  addParts,
  factsPlace,
  isShared,
  putFactsPlace,
  type RatingParts,
  rowsInPlaces,
  sharedTable,
} from "./sharedFacts.ts";
import { inTransaction, lockVersions, publishedRun, whileNonePublishes } from "./warehouse.ts";

const tablesAtOnce = 2;

interface TableLoad {
  partition: Partition;
  columns: string[];
  rows: number;
  comment: PartitionComment;
  /** Of ratings also how they get their movies. */
  parts: TableParts | RatingParts;
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
  const links = partsOf(gold, "bridge_movielens_movie").added;
  const ratingTuples = new RatingTuples(lake, await readLinks(lake, links));
  const ratings = { ...partsOf(gold, sharedTable), links, tuples: ratingTuples };
  const loads = tableLoads(await goldTables(pool), gold, tables, ratings, comment);
  const total = loads.reduce((sum, { rows }) => sum + rows, 0);
  await tellLoading(lake, runId, total);
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
  await Promise.all(workers).finally(() => ratingTuples.close());
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
  known: Map<string, string[]>,
  gold: HopReport,
  tables: Record<string, number>,
  ratings: RatingParts,
  comment: PartitionComment,
): TableLoad[] {
  const { run_id } = comment;
  const missing = [...known.keys()].filter((table) => tables[table] === undefined);
  const unknown = Object.keys(tables).filter((table) => !known.has(table));
  if (missing.length > 0 || unknown.length > 0) {
    throw new ServiceError(
      "bad_gold",
      `gold of run ${run_id} lacks the tables [${missing.join(", ")}] and has [${unknown.join(", ")}] that the warehouse has not`,
    );
  }
  return [...known].map(([table, columns]) => ({
    partition: partitionOf(table, run_id),
    columns,
    rows: tables[table] ?? 0,
    parts: table === sharedTable ? ratings : partsOf(gold, table),
    comment,
  }));
}

async function* tuplesOf(batches: AsyncIterable<Table>): AsyncGenerator<TupleBatch> {
  for await (const batch of batches) yield copyTuples(batch);
}

const areOfRatings = (parts: TableParts): parts is RatingParts => "tuples" in parts;

/** Loads one table of the version unless it is there; answers its rows as the warehouse counted them. */
async function loadTable(
  lake: ObjectStore,
  pool: pg.Pool,
  load: TableLoad,
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<number> {
  const { partition, parts } = load;
  const isShareable = areOfRatings(parts);
  const shared = isShareable
    ? await inTransaction(pool, (client) => share(lake, client, { ...load, parts }, signal, onRows))
    : null;
  if (shared) {
    await pool.query(`analyze ${shared.partition.quoted}`);
    return shared.rows;
  }
  const state = await partitionState(pool, partition);
  if (state) {
    const isWhole = !isShareable && state.attached && !state.detaching;
    const isSame = isWhole && state.comment?.prefix === load.comment.prefix;
    const rows = isSame ? await countRows(pool, partition) : undefined;
    if (rows === load.rows) return rows;
    await whileNonePublishes(pool, async () => {
      await refuseIfPublished(pool, load.comment.run_id);
      if (isShareable) await refuseIfShared(pool, load.comment.run_id);
      // What the gate found of the version that goes does not hold for the one that comes.
      await inTransaction(pool, (client) => removePublication(client, load.comment.run_id));
      await dropPartition(pool, partition);
    });
  }
  signal.throwIfAborted();
  const rows = await inTransaction(pool, (client) => copyAndAttach(lake, client, load, signal, onRows));
  await pool.query(`analyze ${partition.quoted}`);
  return rows;
}

/**
 * Finds a version's ratings in a partition that holds all of their parts, or the first of them with room behind, and adds
 * the others: readers of the versions in places before do not see them. Null when there is no such partition.
 */
async function share(
  lake: ObjectStore,
  client: pg.PoolClient,
  { parts, columns, rows, comment: { run_id } }: TableLoad & { parts: RatingParts },
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<{ partition: Partition; rows: number } | null> {
  // No other version may come to the same place, none be published of what goes, and none that is shared be swept.
  await lockVersions(client);
  const place = parts.added.length - 1;
  const room = await findRoom(lake, client, parts, run_id);
  const isThere = room && room.held > place && (await isAtPlace(client, run_id, room, place));
  if (!isThere) await leavePlace(client, run_id);
  if (!room) return null;
  const { partition, held } = room;
  const comment = room.isTaken ? await removePlaces(client, partition, room.comment, held) : room.comment;
  const counts =
    held <= place
      ? await addParts({ client, partition, comment, parts, held, columns, signal, onRows })
      : await rowsInPlaces(client, partition, comment);
  const counted = counts[place] ?? 0;
  if (counted !== rows)
    throw mismatch({ table: partition.table, run_id, counted, rows, where: parts.added.join(", ") });
  await putFactsPlace(client, run_id, { run_id: comment.run_id, place });
  return { partition, rows: counted };
}

async function isAtPlace(client: pg.PoolClient, runId: string, { comment }: Room, place: number): Promise<boolean> {
  const at = await factsPlace(client, runId);
  return at.run_id === comment.run_id && at.place === place;
}

/** Has a run that has ratings, which others are to take the place of, be none that is published, nor readers see it. */
async function leavePlace(client: pg.PoolClient, runId: string): Promise<void> {
  const { run_id } = await factsPlace(client, runId);
  if (!(await partitionState(client, partitionOf(sharedTable, run_id)))) return;
  await refuseIfPublished(client, runId);
  await removePublication(client, runId);
}

/** One transaction from making the table to attaching it: killed anywhere in it, nothing was done. */
async function copyAndAttach(
  lake: ObjectStore,
  client: pg.PoolClient,
  { partition, parts, columns, rows, comment }: TableLoad,
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<number> {
  const { table, quoted } = partition;
  const { run_id } = comment;
  const place = parts.added.length - 1;
  await createPartition(client, partition, comment);
  let counted = 0;
  if (areOfRatings(parts)) {
    const counts = await addParts({ client, partition, comment, parts, held: 0, columns, signal, onRows });
    counted = counts[place] ?? 0;
    await putFactsPlace(client, run_id, { run_id, place });
  } else {
    for (const prefix of parts.added) {
      counted += await copyTable(client, tuplesOf(lakeBatches(lake, prefix)), {
        into: quoted,
        columns,
        signal,
        onRows,
      });
    }
  }
  if (counted !== rows) throw mismatch({ table, run_id, counted, rows, where: parts.added.join(", ") });
  await addUniqueKey(client, partition);
  await attachPartition(client, partition, run_id);
  return counted;
}

interface Mismatch {
  table: string;
  run_id: string;
  counted: number;
  rows: number;
  where: string;
}

function mismatch({ table, run_id, counted, rows, where }: Mismatch): ServiceError {
  return new ServiceError(
    "version_mismatch",
    `table ${table} of run ${run_id} has ${counted} rows in ${where}; gold.json says ${rows}` +
      (counted === 0 ? ". What a run left in the lake is swept in time: start a new run" : ""),
  );
}

async function refuseIfShared(pool: pg.Pool, runId: string): Promise<void> {
  if (!(await isShared(pool, runId))) return;
  throw new ServiceError(
    "shared_version",
    `the ratings of run ${runId} are shared by runs that went on from it, and those in the lake are not the ones that were: start a new run`,
  );
}

async function refuseIfPublished(db: pg.Pool | pg.PoolClient, runId: string): Promise<void> {
  if ((await publishedRun(db)) !== runId) return;
  throw new ServiceError(
    "published_version",
    `run ${runId} is published, and its gold tables in the lake are not the ones that were: start a new run`,
  );
}
