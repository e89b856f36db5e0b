import type pg from "pg";
import type { LiveRow } from "./liveRow.ts";

/** Ratings of one partition of the live topic. */
export interface PartitionRows {
  partition: number;
  rows: readonly LiveRow[];
}

/**
 * Puts ratings into `live.ratings`. The newest of a user and a movie stays, of two of one second the later on the
 * partition: the same ratings again, in whatever portions, change nothing.
 */
export async function upsertLive(pool: pg.Pool, portions: readonly PartitionRows[]): Promise<void> {
  const all = portions.flatMap(({ partition, rows }) => rows.map((row) => ({ ...row, partition })));
  if (all.length === 0) return;
  await pool.query({
    name: "upsert-live",
    // In the order of the key, so that two loaders that replay the same ratings do not wait for each other in a circle.
    text: `insert into live.ratings as known (user_id, movie_id, rating, rated_at, kafka_partition, kafka_offset)
     select distinct on (user_id, movie_id)
       user_id, movie_id, rating, to_timestamp(seconds) at time zone 'UTC', kafka_partition, kafka_offset
     from unnest($1::int[], $2::int[], $3::decimal[], $4::bigint[], $5::int[], $6::bigint[])
       as posted (user_id, movie_id, rating, seconds, kafka_partition, kafka_offset)
     order by user_id, movie_id, seconds desc, kafka_offset desc
     on conflict (user_id, movie_id) do update set
       rating = excluded.rating,
       rated_at = excluded.rated_at,
       kafka_partition = excluded.kafka_partition,
       kafka_offset = excluded.kafka_offset
     where (excluded.rated_at, excluded.kafka_offset) > (known.rated_at, known.kafka_offset)`,
    values: [
      all.map(({ user_id }) => user_id),
      all.map(({ movie_id }) => movie_id),
      all.map(({ rating }) => rating),
      all.map(({ timestamp }) => timestamp),
      all.map(({ partition }) => partition),
      all.map(({ offset }) => offset),
    ],
  });
}

/**
 * By partition, the ratings whose offsets are not below its own of `from`, and below `to`, in the order of their offsets; of
 * those of one user and movie the newest alone.
 */
export async function liveRowsBetween(
  pool: pg.Pool,
  from: readonly (number | undefined)[],
  to: number,
): Promise<PartitionRows[]> {
  const { rows } = await pool.query<LiveRow & { partition: number }>(
    `select
       kafka_partition as partition, user_id, movie_id, rating::float as rating,
       extract(epoch from rated_at)::float as timestamp, kafka_offset::float as offset
     from live.ratings
     where kafka_offset >= coalesce(($1::bigint[])[kafka_partition + 1], 0) and kafka_offset < $2
     order by kafka_partition, kafka_offset`,
    [from.map((offset) => offset ?? 0), to],
  );
  const byPartition = new Map<number, LiveRow[]>();
  for (const { partition, ...row } of rows) {
    const known = byPartition.get(partition);
    if (known) known.push(row);
    else byPartition.set(partition, [row]);
  }
  return [...byPartition].map(([partition, found]) => ({ partition, rows: found }));
}

/**
 * Upserts for several partitions at once: while one statement is under way the next ratings gather, and go together in
 * the following one. A thousand ratings a second make few commits so, and a single one waits for nobody.
 */
export class LiveTable {
  readonly #pool: pg.Pool;
  #gathered: PartitionRows[] = [];
  /** The statement that takes what gathers now. */
  #next: Promise<void> | undefined;
  #current: Promise<void> = Promise.resolve();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** Resolves when the warehouse has the ratings. Each partition must wait for its own before it comes again. */
  upsert(portion: PartitionRows): Promise<void> {
    this.#gathered.push(portion);
    this.#next ??= this.#afterCurrent();
    return this.#next;
  }

  async #afterCurrent(): Promise<void> {
    // A failure there is told to those who wait for it.
    await this.#current.catch(() => {});
    const portions = this.#gathered;
    this.#gathered = [];
    this.#next = undefined;
    this.#current = upsertLive(this.#pool, portions);
    return this.#current;
  }
}

/** Removes the ratings that every kept version has read. */
export async function sweepLive(pool: pg.Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from live.ratings
     using (
       select kafka_partition, min(kafka_offset) as kafka_offset
       from mart_versions.live_watermark
       group by kafka_partition
       -- A version without a watermark has read none.
       having count(*) = (select count(*) from mart_versions.run_summary)
     ) as absorbed
     where ratings.kafka_partition = absorbed.kafka_partition and ratings.kafka_offset < absorbed.kafka_offset`,
  );
  return rowCount ?? 0;
}
