import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type pg from "pg";
import { hasEnded } from "./endedRun.ts";
import { type Partition, type PartitionComment, setComment } from "./partitions.ts";
import { heldParts, neverReplaced, partitionsWith, type RatingParts } from "./sharedFacts.ts";

/** A partition of ratings that holds a version's first parts, with room behind them for the others. */
export interface Room {
  partition: Partition;
  comment: PartitionComment;
  /** How many of the version's parts it holds. */
  held: number;
  /** Whether it holds parts behind them that are to go first. */
  isTaken: boolean;
}

/** The partition with most of a version's first parts in which nobody needs what is behind them; undefined without one. */
export async function findRoom(
  lake: ObjectStore,
  client: pg.PoolClient,
  parts: Pick<RatingParts, "added" | "links">,
  runId: string,
): Promise<Room | undefined> {
  for (const { partition, comment, held } of await partitionsWith(client, parts)) {
    const isTaken = held < Math.min(heldParts(comment).length, parts.added.length);
    if (!isTaken || (await isFree(lake, client, comment, held, runId))) return { partition, comment, held, isTaken };
  }
  return undefined;
}

/**
 * Whether the places of a partition from one on are of no run but the one that asks, or of runs that ended without being
 * published. The gate refuses such a run when somebody has it published all the same: its ratings are gone then.
 */
async function isFree(
  lake: ObjectStore,
  client: pg.PoolClient,
  { run_id: factsRunId }: PartitionComment,
  place: number,
  runId: string,
): Promise<boolean> {
  const { rows } = await client.query<{ run_id: string; is_published: boolean }>(
    `select run_id,
            run_id in (select run_id from mart_versions.run_summary)
              or run_id = (select run_id from marts.current) is true as is_published
     from mart_versions.shared_facts
     where facts_run_id = $1 and place >= $2 and run_id <> $3`,
    [factsRunId, place, runId],
  );
  if (rows.some(({ is_published }) => is_published)) return false;
  for (const { run_id } of rows) if (!(await hasEnded(lake, run_id))) return false;
  return true;
}

/**
 * Removes the parts of a partition from a place on, with all that they replaced there again: for readers of the places
 * before, whenever they began, nothing is changed. Answers what the partition says of itself from then on.
 */
export async function removePlaces(
  client: pg.PoolClient,
  partition: Partition,
  comment: PartitionComment,
  place: number,
): Promise<PartitionComment> {
  const { quoted } = partition;
  await client.query(`delete from ${quoted} where from_place >= $1`, [place]);
  await client.query(
    `update ${quoted} set until_place = ${neverReplaced} where until_place >= $1 and until_place < ${neverReplaced}`,
    [place],
  );
  await client.query("delete from mart_versions.shared_facts where facts_run_id = $1 and place >= $2", [
    comment.run_id,
    place,
  ]);
  const { rows, ...others } = comment;
  const left = {
    ...others,
    parts: heldParts(comment).slice(0, place),
    ...(rows && { rows: rows.slice(0, place) }),
  };
  await setComment(client, partition, left);
  return left;
}
