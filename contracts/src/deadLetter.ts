import { z } from "zod";
import { rejectionRules } from "./cell.ts";
import { type DatasetName, datasetName } from "./dataset.ts";
import { deadLetterDecision, letterState } from "./deadLetterDecision.ts";
import { loadId } from "./loadId.ts";

/** A source record that breaks its contract. Its id is `<dataset>.<load_id>.<row_number>`. */
export const deadLetter = z.object({
  id: z.string(),
  dataset: datasetName,
  load_id: z.string(),
  file: z.string(),
  /** First line of the record in the source file, 1 = the header. */
  line: z.number().int().positive(),
  /** The record's number, 1 = the first after the header. */
  row_number: z.number().int().positive(),
  column: z.string().nullable(),
  rule: z.enum(rejectionRules),
  reason: z.string(),
  raw: z.string(),
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** What became of a dead letter; of one that is merged into another, the id of that. */
export const letterStanding = z.object({ state: letterState, merged_into: z.string().optional() });
export type LetterStanding = z.infer<typeof letterStanding>;

/** A dead letter as `GET /dead-letters` lists it. */
export const listedDeadLetter = deadLetter.extend(letterStanding.shape);
export type ListedDeadLetter = z.infer<typeof listedDeadLetter>;

/** In one answer of `GET /dead-letters`. */
export const mostDeadLettersListed = 1_000;

/** A dead letter as `GET /dead-letters/{id}` shows it. */
export const shownDeadLetter = listedDeadLetter.extend({
  /** The repaired record, by column of the contract. */
  record: deadLetterDecision.shape.record,
  /** Its cells by column of the source, where it has as many cells as the source has columns. */
  cells: z.record(z.string(), z.string()).optional(),
  /** Every decision about it, the last one last. */
  history: z.array(deadLetterDecision),
});
export type ShownDeadLetter = z.infer<typeof shownDeadLetter>;

/** The id of a dead letter. */
export function deadLetterId(dataset: DatasetName, load: string, rowNumber: number): string {
  return `${dataset}.${load}.${rowNumber}`;
}

/** What a dead letter's id says, or undefined when it is no such id. */
export function parseDeadLetterId(
  id: string,
): { dataset: DatasetName; load_id: string; row_number: number } | undefined {
  const [dataset, load, row, ...others] = id.split(".");
  const parsed = z
    .object({
      dataset: datasetName,
      load_id: loadId,
      row_number: z
        .string()
        .regex(/^[1-9]\d{0,9}$/)
        .transform(Number),
    })
    .safeParse({ dataset, load_id: load, row_number: row });
  return parsed.success && others.length === 0 ? parsed.data : undefined;
}
