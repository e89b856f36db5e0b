import { z } from "zod";

const count = z.number().int().nonnegative();

/** Rows of one dataset or table through one hop: rows_in = rows_out + the sum of dropped. */
export const hopRows = z.object({ rows_in: count, rows_out: count, dropped: z.record(z.string(), count) });

/** What a hop of a run did; `_runs/<run_id>/<hop>.json`. */
export const hopReport = z.object({
  hop: z.string(),
  run_id: z.string(),
  started_at: z.iso.datetime({ offset: true }),
  seconds: z.number().nonnegative(),
  /** By dataset, or by table where the hop moves tables. */
  rows: z.record(z.string(), hopRows),
  bytes: count.optional(),
  /** Where the hop wrote, as a key prefix of the lake. */
  prefix: z.string().optional(),
  /** Rows of every table written below the prefix. */
  tables: z.record(z.string(), count).optional(),
  load_id: z.string().optional(),
  /** Of ingest: the load is to be appended to those of the published run, and is no edition's file. */
  appends: z.boolean().optional(),
});
export type HopReport = z.infer<typeof hopReport>;

/** dbt.json: the outcome of dbt build for a run. */
export const dbtReport = z.object({
  hop: z.literal("dbt"),
  run_id: z.string(),
  started_at: z.iso.datetime({ offset: true }),
  seconds: z.number().nonnegative(),
  /** Where the gold tables came from that the marts were built of, as warehouse.json had it. */
  prefix: z.string(),
  models: count,
  tests_passed: count,
  failures: z.array(z.object({ name: z.string(), status: z.string(), message: z.string() })),
});
export type DbtReport = z.infer<typeof dbtReport>;
