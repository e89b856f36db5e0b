import type { TableParts } from "@boxoffice/contracts/hopReport";
import { ServiceError } from "@boxoffice/platform/serviceError";
import pg from "pg";
import { copyTable } from "./copyTable.ts";
import {
  allPartitions,
  explainDuplicate,
  type Partition,
  type PartitionComment,
  type PartitionState,
  setComment,
} from "./partitions.ts";
import type { RatingTuples } from "./ratingTuples.ts";

/** The table whose partitions several runs may share, each in a place behind the one it goes on from. */
export const sharedTable = "fact_rating";

/** Of a row that no later part replaced; as in `007_shared_facts.sql`. */
export const neverReplaced = 32_767;

/** Where the ratings of a run are: in whose partition, and up to which place. */
export interface FactsPlace {
  run_id: string;
  place: number;
}

/** Of a run without a row: in a partition of its own, in which it is first. */
export async function factsPlace(db: pg.Pool | pg.PoolClient, runId: string): Promise<FactsPlace> {
  const { rows } = await db.query<FactsPlace>(
    "select facts_run_id as run_id, place from mart_versions.shared_facts where run_id = $1",
    [runId],
  );
  return rows[0] ?? { run_id: runId, place: 0 };
}

/** Says where the ratings of a run are. */
export async function putFactsPlace(client: pg.PoolClient, runId: string, { run_id, place }: FactsPlace) {
  await client.query("delete from mart_versions.shared_facts where run_id = $1", [runId]);
  if (run_id === runId && place === 0) return;
  await client.query("insert into mart_versions.shared_facts (run_id, facts_run_id, place) values ($1, $2, $3)", [
    runId,
    run_id,
    place,
  ]);
}

/** Whether other runs have ratings in a run's partition. */
export async function isShared(db: pg.Pool | pg.PoolClient, factsRunId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    "select from mart_versions.shared_facts where facts_run_id = $1 and run_id <> $1 limit 1",
    [factsRunId],
  );
  return (rowCount ?? 0) > 0;
}

/** The ratings of a version: the parts that they are in, and how they get their movies. */
export interface RatingParts extends TableParts {
  /** The prefixes of the bridge, by which it is told from others. */
  links: readonly string[];
  /** Makes the facts of what is in the lake, by that bridge. */
  tuples: RatingTuples;
}

/** The parts that a partition of ratings holds, in their places. */
export function heldParts({ prefix, parts }: PartitionComment): readonly string[] {
  return parts ?? [`${prefix}/${sharedTable}`];
}

/**
 * The partitions that hold first parts of a version, with the movies that its bridge says, and how many; those with most
 * first, of them the shortest.
 */
export async function partitionsWith(
  db: pg.Pool | pg.PoolClient,
  { added, links }: Pick<RatingParts, "added" | "links">,
): Promise<{ partition: Partition; comment: PartitionComment; held: number }[]> {
  const found = (await allPartitions(db)).flatMap(({ partition, state }) => {
    const comment = commentOfWhole(state);
    if (partition.table !== sharedTable || !comment) return [];
    if (JSON.stringify(comment.links) !== JSON.stringify(links)) return [];
    const other = heldParts(comment).findIndex((part, place) => part !== added[place]);
    const held = other < 0 ? heldParts(comment).length : other;
    return held === 0 ? [] : [{ partition, comment, held }];
  });
  const length = ({ comment }: (typeof found)[number]) => heldParts(comment).length;
  return found.toSorted((one, next) => next.held - one.held || length(one) - length(next));
}

function commentOfWhole({ attached, detaching, comment }: PartitionState): PartitionComment | undefined {
  return attached && !detaching ? comment : undefined;
}

/** Rows of a version in a partition of ratings, counted exactly. */
export async function countFacts(db: pg.Pool | pg.PoolClient, { quoted }: Partition, place: number): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    `select count(*) from ${quoted} where from_place <= $1 and until_place > $1`,
    [place],
  );
  return Number(rows[0]?.count);
}

/** How many rows a version has in each place of a partition, as it says itself; one that does not say is counted. */
export async function rowsInPlaces(
  client: pg.PoolClient,
  partition: Partition,
  comment: PartitionComment,
): Promise<readonly number[]> {
  if (comment.rows) return comment.rows;
  const rows: number[] = [];
  for (const place of heldParts(comment).keys()) rows.push(await countFacts(client, partition, place));
  return rows;
}

interface Adding {
  client: pg.PoolClient;
  partition: Partition;
  comment: PartitionComment;
  parts: RatingParts;
  /** How many of them it has. */
  held: number;
  columns: readonly string[];
  signal: AbortSignal;
  onRows: (rows: number) => void;
}

/**
 * Puts into a partition of ratings the parts that it lacks, and says so in its comment. Answers how many rows a version
 * has in each place: as many as the warehouse says it took, less those it says were replaced.
 */
export async function addParts({ parts, held, comment, ...adding }: Adding): Promise<readonly number[]> {
  const { client, partition, columns, signal, onRows } = adding;
  const counts = held === 0 ? [] : [...(await rowsInPlaces(client, partition, comment))];
  for (let place = held; place < parts.added.length; place += 1) {
    const batches = parts.tuples.at(parts.added[place] ?? "", { haveTime: true });
    if (place === 0) {
      counts.push(await copyTable(client, batches, { into: partition.quoted, columns, signal, onRows }));
      continue;
    }
    const replaced = await markReplaced({ ...adding, tuples: parts.tuples }, place, parts.replaced[place - 1] ?? "");
    const list = columns.map(pg.escapeIdentifier).join(", ");
    await client.query(`create temporary table added_rating as select ${list} from ${partition.quoted} limit 0`);
    await copyTable(client, batches, { into: "added_rating", columns, signal, onRows });
    const { rowCount } = await client
      .query(
        `insert into ${partition.quoted} (${list}, from_place) select ${list}, ${place}::smallint from added_rating`,
      )
      .catch((cause: unknown) => {
        throw explainDuplicate(sharedTable, cause);
      });
    await client.query("drop table added_rating");
    counts.push((counts[place - 1] ?? 0) + (rowCount ?? 0) - replaced);
  }
  if (parts.added.length > 1) await indexPlaces(client, partition);
  await setComment(client, partition, { ...comment, parts: [...parts.added], links: [...parts.links], rows: counts });
  return counts;
}

/**
 * What came or went since a place is found without reading all rows: new rows and new versions of old ones go behind them,
 * until a vacuum frees room among them, and the index knows of each range of blocks which places are in it.
 */
async function indexPlaces(client: pg.PoolClient, { name, quoted }: Partition): Promise<void> {
  const index = pg.escapeIdentifier(`${name}_places`);
  await client.query(`create index if not exists ${index} on ${quoted} using brin (from_place, until_place)`);
}

type Marking = Omit<Adding, "parts" | "held" | "comment"> & { tuples: RatingTuples };

/** Has the rows whose keys a part replaced end at its place, all of which must be there; answers how many. */
async function markReplaced(
  { client, partition: { quoted }, tuples, signal }: Marking,
  place: number,
  prefix: string,
): Promise<number> {
  await client.query(
    "create temporary table replaced_rating (user_id int, movie_id int, tmdb_id int, rating_tenths smallint)",
  );
  const onRows = () => {};
  const columns = ["user_id", "movie_id", "tmdb_id", "rating_tenths"];
  const into = "replaced_rating";
  const batches = tuples.at(prefix, { haveTime: false });
  const replaced = await copyTable(client, batches, { into, columns, signal, onRows });
  await client.query("analyze replaced_rating");
  const { rowCount } = await client.query(
    `update ${quoted} as facts set until_place = $1
     from replaced_rating as replaced
     where facts.user_id = replaced.user_id and facts.movie_id = replaced.movie_id
       and facts.tmdb_id = replaced.tmdb_id and facts.rating_tenths = replaced.rating_tenths
       and facts.until_place = ${neverReplaced}`,
    [place],
  );
  await client.query("drop table replaced_rating");
  if (rowCount === replaced) return replaced;
  throw new ServiceError(
    "version_mismatch",
    `${prefix} replaces ${replaced} ratings, of which ${quoted} has ${rowCount ?? 0}: start a new run`,
  );
}
