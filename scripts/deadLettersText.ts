import { datasets } from "@boxoffice/contracts/dataset";
import type { LetterStanding, ShownDeadLetter } from "@boxoffice/contracts/deadLetter";
import type { DeadLetterDecision, LetterState } from "@boxoffice/contracts/deadLetterDecision";
import { liveDeadLetterId, liveTopic } from "@boxoffice/contracts/liveRating";
import { contractColumns } from "@boxoffice/contracts/recordReader";
import type { DeadLetterPage } from "./deadLetters.ts";

const millisecondsPerDay = 86_400_000;
const stateNames: Record<LetterState, string> = {
  open: "open",
  fixed: "fixed",
  merged_into: "merged-into",
  discarded: "discarded",
};

/** Of each dead letter where it stands, what is wrong, how it begins and its state; then how many there are. */
export function deadLettersText(page: DeadLetterPage): string {
  const { run_id, dead_letters, live_dead_letters, next, total, states, pending, not_loaded } = page;
  const shown = [
    ...dead_letters.map(({ id, file, line, state, merged_into, ...letter }) =>
      letterText(`${id}${standingText({ state, merged_into })}`, `${file} line ${line}`, letter),
    ),
    ...live_dead_letters.map(({ partition, offset, ...letter }) =>
      letterText(
        liveDeadLetterId({ partition, offset }),
        `${liveTopic} partition ${partition} offset ${offset}`,
        letter,
      ),
    ),
  ];
  const more = next === null ? [] : [`… more: ./box dead-letters list --run ${run_id} --after ${next}`];
  const decided = (["fixed", "merged_into", "discarded"] as const).filter((state) => states[state] > 0);
  const counts = decided.map((state) => `${states[state]} ${stateNames[state]}`).join(", ");
  const waiting = pending > 0 ? [pendingText(pending)] : [];
  const missing = not_loaded.length > 0 ? [notLoadedText(page)] : [];
  const all = `${total} dead letters${counts === "" ? "" : ` (${counts})`}`;
  return [...shown, ...more, all, ...waiting, ...missing].join("\n");
}

/** A dead letter with all that is known of it. */
export function deadLetterText(letter: ShownDeadLetter): string {
  const { id, file, line, row_number, rule, reason, raw, cells, history } = letter;
  const blocks = [
    ["raw", raw.split("\n")],
    ["cells", cells ? fieldLines(cells) : []],
    ["repaired record", recordLines(letter)],
    ["decisions", history.map(decisionText)],
  ] as const;
  const shown = blocks.flatMap(([title, lines]) =>
    lines.length > 0 ? [`  ${title}:`, ...lines.map((text) => `    ${text}`)] : [],
  );
  const place = `  ${file} line ${line}, record ${row_number}: ${reason} (${rule})`;
  return [`${id}${standingText(letter)}`, place, ...shown].join("\n");
}

/** What was just decided about a dead letter. */
export function decidedText(letter: ShownDeadLetter): string {
  const record = recordLines(letter).map((line) => `  ${line}`);
  return [`${letter.id} is ${stateNames[letter.state]}`, ...record].join("\n");
}

function letterText(id: string, place: string, { reason, raw }: { reason: string; raw: string }): string {
  return `${id}\n  ${place}: ${reason}\n  ${raw.replaceAll(/\s+/g, " ").slice(0, 100)}`;
}

function standingText({ state, merged_into }: LetterStanding): string {
  if (state === "open") return "";
  return `  ${stateNames[state]}${merged_into === undefined ? "" : ` ${merged_into}`}`;
}

function pendingText(pending: number): string {
  const decisions = pending === 1 ? "1 decision is" : `${pending} decisions are`;
  return `${decisions} newer than the run: ./box dead-letters replay makes one that goes by them`;
}

function recordLines({ dataset, record }: ShownDeadLetter): string[] {
  if (!record) return [];
  const kinds = new Map(contractColumns(datasets[dataset]).map(({ name, kind }) => [name, kind]));
  const texts = Object.entries(record).map(([name, value]) => {
    const isDay = kinds.get(name) === "date" && typeof value === "number";
    return [name, isDay ? new Date(value * millisecondsPerDay).toISOString().slice(0, 10) : String(value ?? "")];
  });
  return fieldLines(Object.fromEntries(texts));
}

/** A line per field that is not empty. */
function fieldLines(fields: Readonly<Record<string, string>>): string[] {
  const filled = Object.entries(fields).filter(([, value]) => value !== "");
  const width = Math.max(0, ...filled.map(([name]) => name.length));
  return filled.map(([name, value]) => `${name.padEnd(width)}  ${value.replaceAll(/\s+/g, " ").slice(0, 200)}`);
}

function decisionText({ at, row_number, state, merged_rows, set, reason }: DeadLetterDecision): string {
  const details = [
    ...(merged_rows ? [`of records ${[row_number, ...merged_rows].toSorted((a, b) => a - b).join(", ")}`] : []),
    ...(set ? [`set ${Object.keys(set).join(", ")}`] : []),
    ...(reason === undefined ? [] : [reason]),
  ];
  return [`${at} ${stateNames[state]}`, ...details].join(": ");
}

function notLoadedText({ not_loaded, failure }: DeadLetterPage): string {
  const names = not_loaded.join(", ");
  return failure === null
    ? `The run has no load of ${names} yet.`
    : `The run has no load of ${names}, whose dead letters are not among these. Its newest failure:\n${failure}`;
}
