import { readFileSync } from "node:fs";
import { mostDeadLettersListed, type ShownDeadLetter } from "@boxoffice/contracts/deadLetter";
import type { DecisionRequest } from "@boxoffice/contracts/deadLetterDecision";
import { type Command, InvalidArgumentError, Option } from "commander";
import { BoxError, exitCode } from "./boxError.ts";
import { fromCaller } from "./boxHome.ts";
import { decideDeadLetter, listDeadLetters, showDeadLetter } from "./deadLetters.ts";
import { deadLettersText, deadLetterText, decidedText } from "./deadLettersText.ts";
import { interruption } from "./interrupt.ts";
import { openBox } from "./openBox.ts";
import { runPipeline } from "./pipeline/runPipeline.ts";
import { dim, line } from "./terminal.ts";
import { wholeNumber } from "./wholeNumber.ts";

interface AsJson {
  json?: boolean;
}

interface ListOptions extends AsJson {
  run?: string;
  limit: number;
  after?: string;
}

interface FixOptions extends AsJson {
  set?: Record<string, string>;
  merge?: string[];
  file?: string;
}

/** Adds `dead-letters` with its verbs. */
export function addDeadLettersCommand(program: Command): void {
  const command = program
    .command("dead-letters")
    .description("the records that break their contract, and what is decided about them");
  command
    .command("list")
    .description("list those of a run, with their states")
    .option("--run <run id>", "of this run; default: the published one")
    .addOption(new Option("--limit <n>", "at most so many").argParser(wholeNumber).default(mostDeadLettersListed))
    .option("--after <id>", "those behind this one")
    .option("--json", "as one JSON document")
    .action(async ({ run: runId, limit, after, json }: ListOptions) => {
      const page = await listDeadLetters(await openBox(), { runId, limit, after });
      console.log(json ? JSON.stringify(page, null, 2) : deadLettersText(page));
    });
  command
    .command("show <id>")
    .description("show one with its raw text, its cells and every decision about it")
    .option("--json", "as one JSON document")
    .action(async (id: string, { json }: AsJson) => {
      const letter = await showDeadLetter(await openBox(), id);
      console.log(json ? JSON.stringify(letter, null, 2) : deadLetterText(letter));
    });
  command
    .command("fix <id>")
    .description("repair one; the record must keep the contract that refused it")
    .addOption(new Option("--set <field=value>", "replace a cell; may be given again").argParser(withCell))
    .addOption(new Option("--merge <id2>", "join it with another fragment; may be given again").argParser(withId))
    .addOption(new Option("--file <path>", "take the record from a file of CSV").conflicts("merge"))
    .option("--json", "as one JSON document")
    .action(async (id: string, options: FixOptions) => decide(id, repairOf(options), options));
  command
    .command("discard <id>")
    .description("leave one out for good, and say why")
    .requiredOption("--reason <text>", "why")
    .option("--json", "as one JSON document")
    .action(async (id: string, { reason, ...options }: AsJson & { reason: string }) =>
      decide(id, { discard: reason }, options),
    );
  command
    .command("reopen <id>")
    .description("take back what was decided about one")
    .option("--json", "as one JSON document")
    .action(async (id: string, options: AsJson) => decide(id, { reopen: true }, options));
  command
    .command("replay")
    .description("run the pipeline on the loads of the published run, by what is decided now")
    .option("--json", "as one JSON document")
    .action(replay);
}

function withCell(text: string, cells: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected field=value");
  return { ...cells, [text.slice(0, at)]: text.slice(at + 1) };
}

const withId = (id: string, others: string[] = []) => [...others, id];

function repairOf({ set, merge, file }: FixOptions): DecisionRequest {
  if (!set && !merge && file === undefined) {
    const ways = "--set field=value, --merge ID2 or --file PATH";
    throw new BoxError(
      `how is it to be fixed? Give ${ways}; ./box dead-letters show ID shows its cells`,
      exitCode.usage,
    );
  }
  return {
    ...(set ? { set } : {}),
    ...(merge ? { merge_with: merge } : {}),
    ...(file === undefined ? {} : { record: recordIn(file) }),
  };
}

function recordIn(file: string): string {
  try {
    return readFileSync(fromCaller(file), "utf8");
  } catch (cause) {
    throw new BoxError(`${file} cannot be read: ${(cause as Error).message}`, exitCode.usage, cause);
  }
}

async function decide(id: string, request: DecisionRequest, { json }: AsJson): Promise<void> {
  const letter: ShownDeadLetter = await decideDeadLetter(await openBox(), id, request);
  console.log(json ? JSON.stringify(letter, null, 2) : decidedText(letter));
  line(dim("  The next run goes by it: ./box dead-letters replay"));
}

async function replay({ json }: AsJson): Promise<void> {
  const box = await openBox();
  const { pending } = await listDeadLetters(box, { limit: 1 });
  if (pending === 0) {
    line("The published run goes by every decision about its dead letters: there is nothing to replay");
    if (json) console.log(JSON.stringify({ run_id: null, repaired: [] }, null, 2));
    return;
  }
  const { runId } = await runPipeline(box, { reuse_loads: true }, interruption);
  const { dead_letters } = await listDeadLetters(box, { runId, limit: Number.POSITIVE_INFINITY });
  const repaired = dead_letters.filter(({ state }) => state === "fixed").map(({ id }) => id);
  if (json) console.log(JSON.stringify({ run_id: runId, repaired }, null, 2));
  else console.log([`Published ${runId}, with ${repaired.length} repaired records`, ...repaired].join("\n  "));
}
