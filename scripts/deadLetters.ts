import { datasetName } from "@boxoffice/contracts/dataset";
import { deadLetter } from "@boxoffice/contracts/deadLetter";
import { liveDeadLetter, liveTopic } from "@boxoffice/contracts/liveRating";
import { z } from "zod";
import { BoxError, exitCode } from "./boxError.ts";
import type { BoxClient } from "./openBox.ts";
import { setting } from "./settings.ts";

const deadLetterPage = z.object({
  dead_letters: z.array(deadLetter),
  live_dead_letters: z.array(liveDeadLetter),
  total: z.number(),
  not_loaded: z.array(datasetName),
  failure: z.string().nullable(),
});
export type DeadLetterPage = z.infer<typeof deadLetterPage>;

const refusal = z.object({
  error: z.object({
    message: z.string(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
  }),
});

/** The dead letters of a run; of the published run when none is named. Throws when the loader knows no such run. */
export async function listDeadLetters({ environment }: BoxClient, runId?: string): Promise<DeadLetterPage> {
  const url = new URL(`${setting(environment, "LOADER_URL")}/dead-letters`);
  if (runId !== undefined) url.searchParams.set("run_id", runId);
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch((cause) => {
    throw new BoxError("the loader does not answer. Start the box with ./box up", exitCode.failed, cause);
  });
  const body: unknown = await response.json();
  if (response.ok) return deadLetterPage.parse(body);
  const { message, issues } = refusal.parse(body).error;
  const isMistyped = runId !== undefined && (response.status === 400 || response.status === 404);
  const lines = issues.map((issue) => `  ${issue.path}: ${issue.message}`);
  throw new BoxError([message, ...lines].join("\n"), isMistyped ? exitCode.usage : exitCode.failed);
}

/** Of each dead letter where it stands, what is wrong and how it begins; then how many there are, and of which data none. */
export function deadLettersText(page: DeadLetterPage): string {
  const { dead_letters, live_dead_letters, total, not_loaded } = page;
  const shown = [
    ...dead_letters.map(({ id, file, line, ...letter }) => letterText(id, `${file} line ${line}`, letter)),
    ...live_dead_letters.map(({ partition, offset, ...letter }) =>
      letterText(`${liveTopic}.${partition}.${offset}`, `${liveTopic} partition ${partition} offset ${offset}`, letter),
    ),
  ];
  const more = total > shown.length ? [`… ${total - shown.length} more`] : [];
  const missing = not_loaded.length > 0 ? [notLoadedText(page)] : [];
  return [...shown, ...more, `${total} dead letters`, ...missing].join("\n");
}

function letterText(id: string, place: string, { reason, raw }: { reason: string; raw: string }): string {
  return `${id}\n  ${place}: ${reason}\n  ${raw.replaceAll(/\s+/g, " ").slice(0, 100)}`;
}

function notLoadedText({ not_loaded, failure }: DeadLetterPage): string {
  const names = not_loaded.join(", ");
  return failure === null
    ? `The run has no load of ${names} yet.`
    : `The run has no load of ${names}, whose dead letters are not among these. Its newest failure:\n${failure}`;
}
