import { deadLetter } from "@boxoffice/contracts/deadLetter";
import { z } from "zod";
import { BoxError } from "./boxError.ts";
import type { Box } from "./openBox.ts";
import { setting } from "./settings.ts";

const deadLetterPage = z.object({ dead_letters: z.array(deadLetter), total: z.number() });
export type DeadLetterPage = z.infer<typeof deadLetterPage>;

/** The dead letters of a run's loads; of the published run when none is named. */
export async function listDeadLetters({ environment }: Box, runId?: string): Promise<DeadLetterPage> {
  const url = new URL(`${setting(environment, "LOADER_URL")}/dead-letters`);
  if (runId !== undefined) url.searchParams.set("run_id", runId);
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch((cause) => {
    throw new BoxError("the loader does not answer. Start the box with ./box up", 1, cause);
  });
  const body: unknown = await response.json();
  if (response.ok) return deadLetterPage.parse(body);
  throw new BoxError(z.object({ error: z.object({ message: z.string() }) }).parse(body).error.message);
}

/** A line per dead letter: where it stands, what is wrong, how it begins. */
export function deadLettersText({ dead_letters, total }: DeadLetterPage): string {
  const lines = dead_letters.map(({ id, file, line, reason, raw }) => {
    const start = raw.replaceAll(/\s+/g, " ").slice(0, 100);
    return `${id}\n  ${file} line ${line}: ${reason}\n  ${start}`;
  });
  const more = total > dead_letters.length ? `\n… ${total - dead_letters.length} more` : "";
  return `${lines.join("\n")}${more}\n${total} dead letters`;
}
