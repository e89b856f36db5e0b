import type pg from "pg";
import type { LiveRow } from "./liveRow.ts";

/**
 * Puts ratings of one partition into `live.ratings`. The newest of a user and a movie stays, of two of one second the
 * later on the partition: the same ratings again, in whatever portions, change nothing.
 */
export async function upsertLive(pool: pg.Pool, partition: number, rows: readonly LiveRow[]): Promise<void> {
  if (rows.length === 0) return;
  await pool.query(
    // In the order of the key, so that two loaders that replay the same ratings do not wait for each other in a circle.
    `insert into live.ratings as known (user_id, movie_id, rating, rated_at, kafka_partition, kafka_offset)
     select distinct on (user_id, movie_id)
       user_id, movie_id, rating, to_timestamp(seconds) at time zone 'UTC', $6::int, kafka_offset
     from unnest($1::int[], $2::int[], $3::decimal[], $4::bigint[], $5::bigint[])
       as posted (user_id, movie_id, rating, seconds, kafka_offset)
     order by user_id, movie_id, seconds desc, kafka_offset desc
     on conflict (user_id, movie_id) do update set
       rating = excluded.rating,
       rated_at = excluded.rated_at,
       kafka_partition = excluded.kafka_partition,
       kafka_offset = excluded.kafka_offset
     where (excluded.rated_at, excluded.kafka_offset) > (known.rated_at, known.kafka_offset)`,
    [
      rows.map(({ user_id }) => user_id),
      rows.map(({ movie_id }) => movie_id),
      rows.map(({ rating }) => rating),
      rows.map(({ timestamp }) => timestamp),
      rows.map(({ offset }) => offset),
      partition,
    ],
  );
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
