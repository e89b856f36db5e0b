import { z } from "zod";

/** Names a run in every hop, in keys of the lake and in Airflow. */
export const runId = z
  .string()
  .regex(
    /^(?!\.$)(?!.*\.\.)[A-Za-z0-9_.-]{1,100}$/,
    "a run id has 1 to 100 characters of A-Z a-z 0-9 _ . -, not two dots in a row, and is not a dot alone",
  );

/** How far a piece of work has come; `total` is null while nobody knows. */
export const progress = z.object({ done: z.number(), total: z.number().nullable(), unit: z.string() });
export type Progress = z.infer<typeof progress>;

/** A piece of work a service was asked for; the same request again returns the same job. */
export const job = z.object({
  id: z.string(),
  state: z.enum(["running", "done", "failed"]),
  progress,
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }).optional(),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime().optional(),
});
export type Job = z.infer<typeof job>;
