import { z } from "zod";

const count = z.number().int().nonnegative();

/** Rows of one dataset or table through one hop: rows_in = rows_out + the sum of dropped. */
export const hopRows = z.object({ rows_in: count, rows_out: count, dropped: z.record(z.string(), count) });

/** The prefixes of a table: what each part added, and what each but the first replaced of those before it. */
export const tableParts = z.object({ added: z.array(z.string()), replaced: z.array(z.string()) });
export type TableParts = z.infer<typeof tableParts>;

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
  /** Rows of every table, less those that a later part replaced. */
  tables: z.record(z.string(), count).optional(),
  /** Where the tables are, some of them written by the runs that this one goes on from, or loads in bronze; else below the prefix. */
  parts: z.record(z.string(), tableParts).optional(),
  /** Of Spark's hops: a digest of their code, the run whose tables are shared, and why none's are after an append. */
  code: z.string().optional(),
  goes_on_from: z.string().optional(),
  in_full_because: z.string().optional(),
  load_id: z.string().optional(),
  /** Of ingest: the load is to be appended to those of the published run, and is no edition's file. */
  appends: z.boolean().optional(),
});
export type HopReport = z.infer<typeof hopReport>;

/** The parts of a table that a hop reports. */
export function partsOf({ prefix, parts }: Pick<HopReport, "prefix" | "parts">, table: string): TableParts {
  return parts?.[table] ?? { added: [`${prefix?.replace(/\/$/, "")}/${table}`], replaced: [] };
}

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
