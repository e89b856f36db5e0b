import type { DatasetName } from "@boxoffice/contracts/dataset";
import { type DeadLetter, deadLetterId, type LetterStanding } from "@boxoffice/contracts/deadLetter";
import { type DeadLetterDecision, deadLetterDecision } from "@boxoffice/contracts/deadLetterDecision";
import { lakeKeys, parseDecisionKey } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";

/** The decisions about the dead letters of a dataset's bytes, in the order they were made. */
export type DecisionLog = readonly DeadLetterDecision[];

const readAtOnce = 32;

/** Reads the decisions about the bytes of a load: all, or as many as a run goes by. */
export async function readDecisions(
  lake: ObjectStore,
  dataset: DatasetName,
  source: string,
  most = Number.POSITIVE_INFINITY,
): Promise<DecisionLog> {
  const numbers: number[] = [];
  for await (const { key } of lake.list(lakeKeys.decisions(dataset, source))) {
    const number = parseDecisionKey(key);
    if (number !== undefined && number <= most) numbers.push(number);
  }
  numbers.sort((one, other) => one - other);
  const log: DeadLetterDecision[] = [];
  for (let from = 0; from < numbers.length; from += readAtOnce) {
    const some = numbers.slice(from, from + readAtOnce);
    log.push(...(await Promise.all(some.map((number) => readDecision(lake, dataset, source, number)))));
  }
  return log;
}

async function readDecision(lake: ObjectStore, dataset: DatasetName, source: string, number: number) {
  const key = lakeKeys.decision(dataset, source, number);
  const decision = await lake.json(key, deadLetterDecision);
  if (decision) return decision;
  throw new ServiceError("missing_object", `${key} is no longer in the lake`);
}

/**
 * Writes a decision behind those of a log; false when another was written there meanwhile, so that the log must be read
 * and the decision judged again.
 */
export function appendDecision(lake: ObjectStore, log: DecisionLog, decision: DeadLetterDecision): Promise<boolean> {
  const key = lakeKeys.decision(decision.dataset, decision.source, log.length + 1);
  return lake.create(key, JSON.stringify(decision));
}

/** The last decision about each row that is not open, and for rows that are merged the row they are merged into. */
export interface Standings {
  decided: ReadonlyMap<number, DeadLetterDecision>;
  mergedInto: ReadonlyMap<number, number>;
}

/** What the decisions of a log come to. */
export function standingsAfter(log: DecisionLog): Standings {
  const decided = new Map<number, DeadLetterDecision>();
  for (const decision of log) {
    if (decision.state === "open") decided.delete(decision.row_number);
    else decided.set(decision.row_number, decision);
    // A letter that is merged into another counts there, and no more by itself.
    for (const row of decision.merged_rows ?? []) decided.delete(row);
  }
  const mergedInto = new Map<number, number>();
  for (const { row_number, merged_rows = [] } of decided.values()) {
    for (const row of merged_rows) mergedInto.set(row, row_number);
  }
  return { decided, mergedInto };
}

/** What became of a dead letter. */
export function standingOf({ decided, mergedInto }: Standings, letter: DeadLetter): LetterStanding {
  const into = mergedInto.get(letter.row_number);
  if (into !== undefined) {
    return { state: "merged_into", merged_into: deadLetterId(letter.dataset, letter.load_id, into) };
  }
  return { state: decided.get(letter.row_number)?.state ?? "open" };
}
