import { BoxError, exitCode } from "../boxError.ts";
import { addToVenv, createVenv } from "../install/python.ts";
import { cached, installToolchain, uvFolder } from "../install/toolchain.ts";
import { bold, line, seconds } from "../terminal.ts";
import type { Count } from "./suite.ts";
import { suites } from "./suites.ts";

export const suiteNames = suites.map(({ name }) => name);

/** Runs the named suites, all by default, and prints `N passed, N failed` over all of them. Answers whether all passed. */
export async function runSuites(only: readonly string[] = suiteNames): Promise<boolean> {
  const unknown = only.filter((name) => !suiteNames.includes(name));
  if (unknown.length > 0) {
    throw new BoxError(`there is no suite ${unknown.join(", ")}; there are ${suiteNames.join(", ")}`, exitCode.usage);
  }
  const toolchain = await installToolchain();
  const locks = ["requirements/pipeline.txt", "requirements/test.txt"];
  const python = await cached("test", locks, "Installing the test tools", async (folder) => {
    const uv = await uvFolder();
    await createVenv(uv, folder, "requirements/pipeline.txt");
    await addToVenv(uv, folder, "requirements/test.txt");
  });

  const results: { name: string; count: Count }[] = [];
  for (const suite of suites.filter(({ name }) => only.includes(name))) {
    line(bold(`\n${suite.name}`));
    const begin = performance.now();
    const count = await suite.run({ toolchain, python }).catch((error: unknown) => {
      console.error(error);
      return { passed: 0, failed: 1 };
    });
    line(`${suite.name}: ${count.passed} passed, ${count.failed} failed, ${seconds(begin)}`);
    results.push({ name: suite.name, count });
  }
  const passed = results.reduce((total, { count }) => total + count.passed, 0);
  const failed = results.reduce((total, { count }) => total + count.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0;
}
