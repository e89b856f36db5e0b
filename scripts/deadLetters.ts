import { datasetName } from "@boxoffice/contracts/dataset";
import {
  listedDeadLetter,
  mostDeadLettersListed,
  type ShownDeadLetter,
  shownDeadLetter,
} from "@boxoffice/contracts/deadLetter";
import { type DecisionRequest, letterState } from "@boxoffice/contracts/deadLetterDecision";
import { liveDeadLetter } from "@boxoffice/contracts/liveRating";
import { z } from "zod";
import { BoxError, exitCode } from "./boxError.ts";
import type { BoxClient } from "./openBox.ts";
import { setting } from "./settings.ts";

const deadLetterPage = z.object({
  run_id: z.string(),
  dead_letters: z.array(listedDeadLetter),
  live_dead_letters: z.array(liveDeadLetter),
  next: z.string().nullable(),
  total: z.number(),
  states: z.record(letterState, z.number()),
  pending: z.number(),
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

/** Which dead letters are listed. */
export interface Listing {
  /** Of this run; by default of the published one. */
  runId?: string | undefined;
  /** Those behind this one: a page's `next`. */
  after?: string | undefined;
  /** At most so many; by default as many as the loader answers at once. */
  limit?: number | undefined;
}

/**
 * The dead letters of a run, as one page of however many answers they take. Throws when the loader knows no such run, or
 * no such dead letter of it.
 */
export async function listDeadLetters(
  box: BoxClient,
  { runId, after, limit = mostDeadLettersListed }: Listing = {},
): Promise<DeadLetterPage> {
  const dead_letters: DeadLetterPage["dead_letters"] = [];
  const live_dead_letters: DeadLetterPage["live_dead_letters"] = [];
  let query: Query = { run_id: runId, after };
  for (;;) {
    const left = limit - dead_letters.length - live_dead_letters.length;
    const page = await askForPage(box, left < mostDeadLettersListed ? { ...query, limit: left } : query);
    dead_letters.push(...page.dead_letters);
    live_dead_letters.push(...page.live_dead_letters);
    if (page.next === null || dead_letters.length + live_dead_letters.length >= limit)
      return { ...page, dead_letters, live_dead_letters };
    // Another run may be published meanwhile.
    query = { run_id: page.run_id, after: page.next };
  }
}

interface Query {
  run_id: string | undefined;
  after: string | undefined;
  limit?: number;
}

async function askForPage(box: BoxClient, query: Query): Promise<DeadLetterPage> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const path = search.size === 0 ? "/dead-letters" : `/dead-letters?${search}`;
  const isNamed = query.run_id !== undefined || query.after !== undefined;
  return deadLetterPage.parse(await ask(box, path, { isNamed }));
}

/** A dead letter with its raw text and what was decided about it. */
export async function showDeadLetter(box: BoxClient, id: string): Promise<ShownDeadLetter> {
  return shownDeadLetter.parse(await ask(box, `/dead-letters/${encodeURIComponent(id)}`, { isNamed: true }));
}

/** Decides about a dead letter, and answers how it stands then. Throws what the loader has against it. */
export async function decideDeadLetter(box: BoxClient, id: string, request: DecisionRequest): Promise<ShownDeadLetter> {
  const path = `/dead-letters/${encodeURIComponent(id)}/fixes`;
  return shownDeadLetter.parse(await ask(box, path, { isNamed: true, body: request }));
}

interface Question {
  /** Whether the command line named what is asked for, so that it is at fault when there is no such thing. */
  isNamed: boolean;
  body?: DecisionRequest;
}

async function ask({ environment }: BoxClient, path: string, { isNamed, body }: Question): Promise<unknown> {
  const posted = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(`${setting(environment, "LOADER_URL")}${path}`, {
    ...(body === undefined ? {} : posted),
    signal: AbortSignal.timeout(30_000),
  }).catch((cause) => {
    throw new BoxError("the loader does not answer. Start the box with ./box up", exitCode.failed, cause);
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const { message, issues } = refusal.safeParse(answer).data?.error ?? {
    message: `the loader does not know ${path} (HTTP ${response.status}): check the id, and that the box runs this version`,
    issues: [],
  };
  const isMistyped = isNamed && (response.status === 400 || response.status === 404);
  const lines = issues.map((issue) => `  ${issue.path}: ${issue.message}`);
  throw new BoxError([message, ...lines].join("\n"), isMistyped ? exitCode.usage : exitCode.failed);
}
