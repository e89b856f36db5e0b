import { createHash } from "node:crypto";
import { ServiceError } from "@boxoffice/platform/serviceError";
import pg from "pg";
import { z } from "zod";

const uniqueViolation = "23505";

/** The partition of one gold table that holds one run. */
export interface Partition {
  table: string;
  name: string;
  /** In `gold.`, quoted. */
  quoted: string;
  parent: string;
}

/** What a partition says of itself in its comment. */
const partitionComment = z.object({
  run_id: z.string(),
  prefix: z.string(),
  loaded_at: z.iso.datetime(),
  /** Of a table that runs share: the parts that it holds, in their places. */
  parts: z.array(z.string()).optional(),
  /** By which bridge its rows got their movies. */
  links: z.array(z.string()).optional(),
  /** And how many rows a version in each of these places has. */
  rows: z.array(z.number()).optional(),
});
export type PartitionComment = z.infer<typeof partitionComment>;

/** Short, because a run id may be longer than a name in Postgres. */
const runDigest = (runId: string) => createHash("md5").update(runId).digest("hex").slice(0, 12);

/** Where a run's rows of a gold table are, or will be: named by the table and a digest of the run id. */
export function partitionOf(table: string, runId: string): Partition {
  return named(table, `${table}__${runDigest(runId)}`);
}

function named(table: string, name: string): Partition {
  return {
    table,
    name,
    quoted: `gold.${pg.escapeIdentifier(name)}`,
    parent: `gold.${pg.escapeIdentifier(table)}`,
  };
}

/** The tables of the star schema and their columns as gold has them: without what the warehouse adds. */
export async function goldTables(db: pg.Pool): Promise<Map<string, string[]>> {
  const { rows } = await db.query<{ name: string; columns: string[] }>(
    `select c.relname as name,
            array_agg(a.attname::text order by a.attnum)
              filter (where a.attname not in ('run_id', 'run_key', 'from_place', 'until_place')) as columns
     from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'gold'::regnamespace and c.relkind = 'p'
     group by c.relname
     order by c.relname`,
  );
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

/** How a partition stands to its table. */
export interface PartitionState {
  attached: boolean;
  /** A detach was begun and did not end. */
  detaching: boolean;
  /** What it says of itself; undefined where that is nothing, or cannot be read. */
  comment: PartitionComment | undefined;
}

const stateColumns = `
  i.inhrelid is not null as attached,
  coalesce(i.inhdetachpending, false) as detaching,
  obj_description(c.oid, 'pg_class') as comment`;

interface StateRow {
  attached: boolean;
  detaching: boolean;
  comment: string | null;
}

const stateOf = ({ attached, detaching, comment }: StateRow): PartitionState => {
  const parsed = comment === null ? undefined : partitionComment.safeParse(parseJson(comment));
  return { attached, detaching, comment: parsed?.data };
};

/** How a partition stands, or undefined when there is no such table. */
export async function partitionState(db: pg.Pool | pg.PoolClient, { name }: Partition) {
  const { rows } = await db.query<StateRow>(
    `select ${stateColumns}
     from pg_class c
     left join pg_inherits i on i.inhrelid = c.oid
     where c.relnamespace = 'gold'::regnamespace and c.relkind = 'r' and c.relname = $1`,
    [name],
  );
  return rows[0] && stateOf(rows[0]);
}

/** Every partition that the loader made, attached or not. */
export async function allPartitions(
  db: pg.Pool | pg.PoolClient,
): Promise<{ partition: Partition; state: PartitionState }[]> {
  const { rows } = await db.query<StateRow & { name: string }>(
    `select c.relname as name, ${stateColumns}
     from pg_class c
     left join pg_inherits i on i.inhrelid = c.oid
     where c.relnamespace = 'gold'::regnamespace and c.relkind = 'r' and c.relname like '%\\_\\_%'`,
  );
  return rows.map((row) => ({
    partition: named(row.name.slice(0, row.name.lastIndexOf("__")), row.name),
    state: stateOf(row),
  }));
}

/** What tells a run's rows of a table from another's: as SQL, the column and its value. */
export function runColumn({ table }: Pick<Partition, "table">, runId: string): { column: string; value: string } {
  const id = pg.escapeLiteral(runId);
  // As in `008_run_key.sql`.
  return table === "fact_rating"
    ? { column: "run_key", value: `gold.run_key(${id})` }
    : { column: "run_id", value: id };
}

/** Makes the partition as a table of its own; the constraint spares the scan when it is attached. */
export async function createPartition(
  client: pg.PoolClient,
  partition: Partition,
  comment: PartitionComment,
): Promise<void> {
  const { quoted, parent } = partition;
  const { column, value } = runColumn(partition, comment.run_id);
  await client.query(`create table ${quoted} (like ${parent} including defaults including constraints)`);
  await client.query(`alter table ${quoted} alter ${column} set default ${value}, add check (${column} = ${value})`);
  await setComment(client, partition, comment);
}

/** Has a partition say what it holds. */
export async function setComment(
  client: pg.PoolClient,
  { quoted }: Pick<Partition, "quoted">,
  comment: PartitionComment,
): Promise<void> {
  await client.query(`comment on table ${quoted} is ${pg.escapeLiteral(JSON.stringify(comment))}`);
}

/** Columns of which no two rows of a run agree, by table: of the facts that are too many to be compared again. */
const uniqueKeys: Readonly<Record<string, readonly string[]>> = { fact_rating: ["user_id", "movie_id", "until_place"] };

/** Has the warehouse prove and keep the partition's key, where its table has one. Throws `duplicate_key`. */
export async function addUniqueKey(client: pg.PoolClient, { table, quoted }: Partition): Promise<void> {
  const key = uniqueKeys[table];
  if (!key) return;
  const columns = key.map(pg.escapeIdentifier).join(", ");
  await client.query(`create unique index on ${quoted} (${columns})`).catch((cause: unknown) => {
    throw explainDuplicate(table, cause);
  });
}

/** What the warehouse threw, as `duplicate_key` where a row has the key of another. */
export function explainDuplicate(table: string, cause: unknown): unknown {
  if (!(cause instanceof pg.DatabaseError && cause.code === uniqueViolation)) return cause;
  return new ServiceError(
    "duplicate_key",
    `gold has two rows of ${table} with the same ${(uniqueKeys[table] ?? []).join(" and ")}: ` +
      `${cause.detail ?? cause.message}. The version is not in the warehouse; its rows are in the lake`,
    { cause },
  );
}

/** Takes SHARE UPDATE EXCLUSIVE on the parent: readers and the loads of other runs go on. */
export async function attachPartition(client: pg.PoolClient, partition: Partition, runId: string) {
  const { quoted, parent } = partition;
  const { value } = runColumn(partition, runId);
  await client.query(`alter table ${parent} attach partition ${quoted} for values in (${value})`);
}

/** Removes a partition under its readers' feet without making them wait; takes up what was begun and not ended. */
export async function dropPartition(pool: pg.Pool, partition: Partition): Promise<void> {
  const { quoted, parent } = partition;
  const client = await pool.connect();
  try {
    // Detaching waits for those who read the table; the next call takes up what was cut off.
    await client.query("set statement_timeout = '60s'");
    // Postgres detaches one partition of a table at a time.
    await client.query("select pg_advisory_lock(hashtextextended($1, 0))", [parent]);
    const state = await partitionState(client, partition);
    if (state?.detaching) await client.query(`alter table ${parent} detach partition ${quoted} finalize`);
    else if (state?.attached) await client.query(`alter table ${parent} detach partition ${quoted} concurrently`);
    await client.query(`drop table if exists ${quoted}`);
  } finally {
    // The lock goes with the connection.
    client.release(true);
  }
}

/** Counts a partition's rows exactly, attached or not. Fails when there is no such table. */
export async function countRows(db: pg.Pool | pg.PoolClient, { quoted }: Partition): Promise<number> {
  const { rows } = await db.query<{ count: string }>(`select count(*) from ${quoted}`);
  const [row] = rows;
  if (!row) throw new ServiceError("unexpected", `${quoted} was not counted`);
  return Number(row.count);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
