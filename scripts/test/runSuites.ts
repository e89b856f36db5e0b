import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { BoxError, exitCode } from "../boxError.ts";
import { rootPath } from "../boxHome.ts";
import { createVenv } from "../install/python.ts";
import { cached, installToolchain, uvFolder } from "../install/toolchain.ts";
import { bold, line, seconds } from "../terminal.ts";
import { showIn } from "./show.ts";
import { brokeOff, type Count, type Suite, type SuiteContext, sum } from "./suite.ts";
import { suites } from "./suites.ts";

export const suiteNames = suites.map(({ name }) => name);

export interface SuiteChoice {
  only?: readonly string[];
  /** Leave out what starts engines. */
  quick?: boolean;
  /** False uses no containers, and leaves out what is about them without a word at the end. */
  docker?: boolean;
}

/**
 * Runs the suites and prints, last, `N passed, N failed` over all of them. Answers whether all passed.
 * What could not run is named; it counts as failed where CI is set, and a whole suite that was asked for by name does.
 */
export async function runSuites({ only, quick = false, docker = true }: SuiteChoice): Promise<boolean> {
  const unknown = (only ?? []).filter((name) => !suiteNames.includes(name));
  if (unknown.length > 0) {
    throw new BoxError(`there is no suite ${unknown.join(", ")}; there are ${suiteNames.join(", ")}`, exitCode.usage);
  }
  const chosen = suites.filter(
    ({ name, needsEngines, needsDocker = false, isOnRequest = false }) =>
      (only ? only.includes(name) : !isOnRequest) && !(quick && needsEngines) && (docker || !needsDocker),
  );
  if (chosen.length === 0) {
    throw new BoxError(`no suite is left of ${only?.join(", ") ?? suiteNames.join(", ")}`, exitCode.usage);
  }
  const toolchain = await installToolchain();
  const locks = ["requirements/pipeline.txt", "requirements/test.txt"];
  const python = await cached("test", locks, "Installing the test tools", async (folder) =>
    createVenv(await uvFolder(), folder, ...locks),
  );

  const context = { toolchain, python, mayUseDocker: docker };
  const shown = (suite: Suite) => runShown(suite, { ...context, show: showIn() });
  const aside = (suite: Suite) => runAside(suite, context);
  const withEngines = chosen.filter(({ needsEngines }) => needsEngines);
  const beside = withEngines.length > 1 && hasRoomForTwo() ? withEngines.filter((suite) => suite.mayRunBeside) : [];
  const rest = withEngines.filter((suite) => !beside.includes(suite));
  const first = await inTurn(shown, ...chosen.filter(({ needsEngines }) => !needsEngines));
  const last = await Promise.all([inTurn(shown, ...rest), inTurn(aside, ...beside)]);
  const counts = [...first, ...last.flat()];
  const { passed, failed, failures: reasons, notRun } = sum(counts);
  for (const reason of reasons) line(`failed: ${firstLines(reason)}`);
  for (const what of notRun) line(`not run: ${what}`);
  const idle = only ? counts.filter((count) => count.passed + count.failed === 0).length : 0;
  const failures = failed + (process.env.CI ? notRun.length : idle);
  console.log(`${passed} passed, ${failures} failed`);
  return failures === 0;
}

/** As much of why something failed as tells it from another: all of it is in the output of its suite. */
function firstLines(reason: string): string {
  const own = reason.split("\n").filter((text) => !text.includes("/node_modules/"));
  return own.slice(0, 12).join("\n  ");
}

/** For two suites at a time, each of which has a whole box. */
const hasRoomForTwo = () => totalmem() > 15 * 2 ** 30;

async function inTurn(runSuite: (suite: Suite) => Promise<Count>, ...some: Suite[]): Promise<Count[]> {
  const counts: Count[] = [];
  for (const suite of some) counts.push(await runSuite(suite));
  return counts;
}

async function runShown(suite: Suite, context: SuiteContext): Promise<Count> {
  line(bold(`\n${suite.name}`));
  const { count, summary } = await outcome(suite, context);
  line(summary);
  return count;
}

/** Beside others: what it shows goes to a file, and is shown when it has ended. */
async function runAside(suite: Suite, context: Omit<SuiteContext, "show">): Promise<Count> {
  mkdirSync(rootPath(".box", "test"), { recursive: true });
  const file = rootPath(".box", "test", `${suite.name}.log`);
  line(`${suite.name} runs beside the others; until it ends, what it shows is in ${file}`);
  const output = openSync(file, "w");
  const { count, summary } = await outcome(suite, { ...context, show: showIn(output) });
  closeSync(output);
  line(bold(`\n${suite.name}`));
  process.stdout.write(readFileSync(file));
  line(summary);
  return count;
}

async function outcome(suite: Suite, context: SuiteContext): Promise<{ count: Count; summary: string }> {
  const begin = performance.now();
  const count = await suite.run(context).catch((error: unknown): Count => {
    console.error(error);
    return brokeOff(`${suite.name}: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (count.failed > count.failures.length) count.failures.push(`${suite.name}: more than that, or why: see above`);
  const summary = `${suite.name}: ${count.passed} passed, ${count.failed} failed, ${seconds(begin)}`;
  // A suite that ran nothing has proved nothing, unless it says why.
  const isSilent = count.passed + count.failed + count.notRun.length === 0;
  return { count: isSilent ? brokeOff(`${suite.name} ran no test`) : count, summary };
}
