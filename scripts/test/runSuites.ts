import { BoxError, exitCode } from "../boxError.ts";
import { createVenv } from "../install/python.ts";
import { cached, installToolchain, uvFolder } from "../install/toolchain.ts";
import { bold, line, seconds } from "../terminal.ts";
import { type Count, sum } from "./suite.ts";
import { suites } from "./suites.ts";

export const suiteNames = suites.map(({ name }) => name);

export interface SuiteChoice {
  only?: readonly string[];
  /** Leave out what starts engines. */
  quick?: boolean;
  /** False leaves out what is about containers, without a word at the end. */
  docker?: boolean;
}

/**
 * Runs the suites and prints, last, `N passed, N failed` over all of them. Answers whether all passed.
 * What could not run is named; where CI is set it counts as failed.
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

  const counts: Count[] = [];
  for (const suite of chosen) {
    line(bold(`\n${suite.name}`));
    const begin = performance.now();
    const count = await suite.run({ toolchain, python }).catch((error: unknown): Count => {
      console.error(error);
      return { passed: 0, failed: 1, notRun: [] };
    });
    line(`${suite.name}: ${count.passed} passed, ${count.failed} failed, ${seconds(begin)}`);
    // A suite that ran nothing has proved nothing, unless it says why.
    const isSilent = count.passed + count.failed + count.notRun.length === 0;
    counts.push(isSilent ? { ...count, failed: 1 } : count);
  }
  const { passed, failed, notRun } = sum(counts);
  for (const what of notRun) line(`not run: ${what}`);
  const failures = process.env.CI ? failed + notRun.length : failed;
  console.log(`${passed} passed, ${failures} failed`);
  return failures === 0;
}
