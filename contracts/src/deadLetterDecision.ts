import { z } from "zod";
import { datasetName } from "./dataset.ts";

/** What became of a dead letter. In every state it stays one: none leaves the sums. */
export const letterState = z.enum(["open", "fixed", "merged_into", "discarded"]);
export type LetterState = z.infer<typeof letterState>;

const rowNumber = z.number().int().positive();
const cells = z.record(z.string(), z.string());

/**
 * One decision about a dead letter. The decisions about a dataset's bytes are a log in the lake, numbered from 1; they
 * hold for the same row of every load of these bytes. Of several about a row the last holds.
 */
export const deadLetterDecision = z.object({
  /** Of the letter that was named: any load of these bytes has the same one. */
  id: z.string(),
  dataset: datasetName,
  /** The bytes and the contract's version, which the load's id begins with. */
  source: z.string(),
  row_number: rowNumber,
  state: letterState.exclude(["merged_into"]),
  at: z.iso.datetime(),
  /** Of a fixed letter: the repaired record, by column of the contract; dates are days since 1970. */
  record: z.record(z.string(), z.union([z.string(), z.number(), z.null()])).optional(),
  /** Rows whose letters are fragments of the record, and are merged into this letter. */
  merged_rows: z.array(rowNumber).optional(),
  /** The cells that were replaced, by column of the source. */
  set: cells.optional(),
  /** Why it was discarded. */
  reason: z.string().optional(),
});
export type DeadLetterDecision = z.infer<typeof deadLetterDecision>;

const id = z.string().min(1).max(200);

/** Body of `POST /dead-letters/{id}/fixes`: one of discard, reopen, or where the repaired record comes from. */
export const decisionRequest = z
  .strictObject({
    /** Why it is discarded. */
    discard: z.string().trim().min(1, "say why it is discarded").max(1_000).optional(),
    reopen: z.literal(true).optional(),
    /** Of the other fragments of the same record. */
    merge_with: z.union([id.transform((one) => [one]), z.array(id).min(1).max(20)]).optional(),
    /** The whole record as a line of CSV; it may have the header before it. */
    record: z.string().min(1).optional(),
    /** Cells to replace, by column: of the letter's own text, or of what the two before make of it. */
    set: cells.optional(),
  })
  .refine(
    ({ discard, reopen, merge_with, record, set }) =>
      [discard, reopen, merge_with ?? record ?? set].filter((asked) => asked !== undefined).length === 1,
    "give one of discard, reopen, merge_with and record; set alone, or with one of the last two",
  )
  .refine(({ merge_with, record }) => !merge_with || record === undefined, "give merge_with or record, not both");
export type DecisionRequest = z.infer<typeof decisionRequest>;
