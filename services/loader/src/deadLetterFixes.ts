import { isDeepStrictEqual } from "node:util";
import { datasets } from "@boxoffice/contracts/dataset";
import {
  type DeadLetter,
  deadLetterId,
  parseDeadLetterId,
  type ShownDeadLetter,
} from "@boxoffice/contracts/deadLetter";
import type { DeadLetterDecision, DecisionRequest } from "@boxoffice/contracts/deadLetterDecision";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { liveTopic } from "@boxoffice/contracts/liveRating";
import { sourceOf } from "@boxoffice/contracts/loadId";
import { loadManifest } from "@boxoffice/contracts/loadManifest";
import { HttpError } from "@boxoffice/platform/httpError";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { readDeadLetterSlice, sliceOfRecord } from "./deadLetters.ts";
import {
  appendDecision,
  type DecisionLog,
  readDecisions,
  type Standings,
  standingOf,
  standingsAfter,
} from "./decisions.ts";
import { cellsByColumn, repairedRecord } from "./repairedRecord.ts";

/** Of decisions that others write to the same log at the same time. */
const attempts = 20;

/** A dead letter with what was decided about it. Throws when there is none of this id. */
export async function showDeadLetter(lake: ObjectStore, id: string): Promise<ShownDeadLetter> {
  const { letter, header } = await findLetter(lake, id);
  return shown(letter, header, await readDecisions(lake, letter.dataset, sourceOf(letter.load_id)));
}

/**
 * Decides about a dead letter: it is fixed by a record that keeps the contract, merged with others, discarded or open
 * again. The same again changes nothing. The next run goes by it.
 */
export async function decideDeadLetter(
  lake: ObjectStore,
  id: string,
  request: DecisionRequest,
): Promise<ShownDeadLetter> {
  const { letter, header } = await findLetter(lake, id);
  const source = sourceOf(letter.load_id);
  const content = await contentOf(lake, letter, header, request);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const log = await readDecisions(lake, letter.dataset, source);
    const standings = standingsAfter(log);
    refuseMerged(letter, content.merged_rows ?? [], standings);
    if (isInForce(standings, letter, content)) return shown(letter, header, log);
    const { dataset, row_number } = letter;
    const decision = { id, dataset, source, row_number, at: new Date().toISOString(), ...content };
    if (await appendDecision(lake, log, decision)) return shown(letter, header, [...log, decision]);
  }
  const message = `others decided about dead letters of ${letter.dataset} ${attempts} times meanwhile: try again`;
  throw new HttpError(409, "decision_conflict", message, { retryAfterSeconds: 1 });
}

type Content = Pick<DeadLetterDecision, "state" | "record" | "merged_rows" | "set" | "reason">;

async function contentOf(
  lake: ObjectStore,
  letter: DeadLetter,
  header: readonly string[] | undefined,
  request: DecisionRequest,
): Promise<Content> {
  if (request.discard !== undefined) return { state: "discarded", reason: request.discard };
  if (request.reopen) return { state: "open" };
  if (!header) throw headerUnknown(letter);
  const others = await otherFragments(lake, letter, request);
  const fragments = [letter, ...others].toSorted((one, other) => one.row_number - other.row_number);
  refuseGaps(fragments);
  const broken = { contract: datasets[letter.dataset], header, fragments: fragments.map(({ raw }) => raw) };
  return {
    state: "fixed",
    record: repairedRecord(broken, request),
    ...(others.length > 0 ? { merged_rows: others.map(({ row_number }) => row_number) } : {}),
    ...(request.set ? { set: request.set } : {}),
  };
}

async function otherFragments(lake: ObjectStore, letter: DeadLetter, { merge_with = [] }: DecisionRequest) {
  const others: DeadLetter[] = [];
  for (const id of merge_with) {
    const { letter: other } = await findLetter(lake, id);
    if (other.dataset !== letter.dataset || sourceOf(other.load_id) !== sourceOf(letter.load_id)) {
      throw notOneRecord(`${id} is of other bytes than ${letter.id}`, "choose one of the same file");
    }
    others.push(other);
  }
  return others;
}

/** A line break splits a record into fragments that follow each other: others are not of one record. */
function refuseGaps(fragments: readonly DeadLetter[]): void {
  const hasGap = fragments.some(
    ({ row_number }, at) => at > 0 && row_number !== (fragments[at - 1]?.row_number ?? 0) + 1,
  );
  if (!hasGap) return;
  const rows = fragments.map(({ row_number }) => row_number).join(", ");
  throw notOneRecord(
    `records ${rows}, which do not follow each other`,
    "name the letter of the next or previous record",
  );
}

function notOneRecord(found: string, remedy: string): HttpError {
  return new HttpError(
    400,
    "not_one_record",
    "these letters are not fragments of one record\n" +
      `  expected: letters of records that follow each other in one file\n  found:    ${found}\n  to do:    ${remedy}`,
  );
}

/** Whoever is merged into another counts there: deciding about it here would count it twice, or tear it out silently. */
function refuseMerged(letter: DeadLetter, merging: readonly number[], { mergedInto }: Standings): void {
  for (const row of [letter.row_number, ...merging]) {
    const into = mergedInto.get(row);
    if (into === undefined || into === letter.row_number) continue;
    const idOf = (one: number) => deadLetterId(letter.dataset, letter.load_id, one);
    throw new HttpError(
      409,
      "merged_elsewhere",
      `${idOf(row)} is merged into ${idOf(into)}, and its record counts there\n` +
        `  to do:    decide about ${idOf(into)}, or open it again first: ./box dead-letters reopen ${idOf(into)}`,
    );
  }
}

function isInForce({ decided }: Standings, { row_number }: DeadLetter, content: Content): boolean {
  const last = decided.get(row_number);
  if (!last || content.state === "open") return !last && content.state === "open";
  const { state, record, merged_rows = [], reason } = last;
  const asked = { merged_rows: [], record: undefined, reason: undefined, ...content, set: undefined };
  return isDeepStrictEqual({ merged_rows, record, reason, state, set: undefined }, asked);
}

/** The letter and the column names of its source, where its manifest has them. */
async function findLetter(
  lake: ObjectStore,
  id: string,
): Promise<{ letter: DeadLetter; header: readonly string[] | undefined }> {
  if (id.startsWith(`${liveTopic}.`)) throw liveLetter(id);
  const place = parseDeadLetterId(id);
  if (!place) throw unknownLetter(id);
  const { dataset, load_id, row_number } = place;
  const letters = await readDeadLetterSlice(
    lake,
    lakeKeys.deadLetterSlice(dataset, load_id, sliceOfRecord(dataset, row_number)),
  );
  const letter = letters.find((one) => one.row_number === row_number);
  if (!letter) throw unknownLetter(id);
  const manifest = await lake.json(lakeKeys.manifest(dataset, load_id), loadManifest);
  return { letter, header: manifest?.header };
}

function shown(letter: DeadLetter, header: readonly string[] | undefined, log: DecisionLog): ShownDeadLetter {
  const standings = standingsAfter(log);
  const { row_number } = letter;
  const isAbout = ({ row_number: row, merged_rows = [] }: DeadLetterDecision) =>
    row === row_number || merged_rows.includes(row_number);
  return {
    ...letter,
    ...standingOf(standings, letter),
    record: standings.decided.get(row_number)?.record,
    cells: header && cellsByColumn(letter.raw, header),
    history: log.filter(isAbout),
  };
}

function unknownLetter(id: string): HttpError {
  return new HttpError(
    404,
    "unknown_dead_letter",
    `there is no dead letter ${id}\n` +
      "  expected: an id as the list shows it, <dataset>.<load id>.<record number>\n" +
      "  to do:    ./box dead-letters list",
  );
}

function liveLetter(id: string): HttpError {
  const message = `${id} is of the live lane, where there is nothing to fix: post the rating again (POST /ratings)`;
  return new HttpError(400, "live_dead_letter", message);
}

function headerUnknown({ dataset, load_id }: DeadLetter): HttpError {
  return new HttpError(
    409,
    "header_unknown",
    `load ${load_id} of ${dataset} does not say what its columns are: it was made by an older version of the box\n` +
      "  to do:    load it anew, ./box run --full-refresh, and fix the letter of that load",
  );
}
