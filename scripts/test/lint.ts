import { execFileSync } from "node:child_process";
import { basename, join } from "node:path";
import { root, rootPath } from "../boxHome.ts";
import type { Show } from "./show.ts";
import { brokeOff, type Count, type Suite, sum } from "./suite.ts";

async function check(show: Show, command: string, args: string[]): Promise<Count> {
  const code = await show(command, args);
  if (code !== 0) return brokeOff(`${basename(command)} ${args[0]}: exit code ${code}`);
  return { passed: 1, failed: 0, failures: [], notRun: [] };
}

/** shellcheck is no npm or Python package: where the machine has none, it is not run. */
async function shellcheck(show: Show): Promise<Count> {
  try {
    execFileSync("shellcheck", ["--version"], { stdio: "ignore" });
  } catch {
    return { passed: 0, failed: 0, failures: [], notRun: ["shellcheck: it is not on the PATH"] };
  }
  const scripts = trackedScripts();
  if (!scripts)
    return { passed: 0, failed: 0, failures: [], notRun: ["shellcheck: git does not list this folder's scripts"] };
  return check(show, "shellcheck", scripts);
}

function trackedScripts(): string[] | undefined {
  try {
    const names = execFileSync("git", ["ls-files", "-z", "*.sh", "box", ".ci/run"], { cwd: root, encoding: "utf8" });
    return names.split("\0").filter((name) => name !== "");
  } catch {
    return undefined;
  }
}

/** Types, lint and format of every language. */
export const lint: Suite = {
  name: "lint",
  needsEngines: false,
  run: async ({ python, show }) =>
    sum([
      await check(show, rootPath("node_modules", ".bin", "tsc"), ["--noEmit"]),
      await check(show, rootPath("node_modules", ".bin", "biome"), ["check", "."]),
      await check(show, join(python, "bin", "ruff"), ["check", "."]),
      await check(show, join(python, "bin", "ruff"), ["format", "--check", "."]),
      await shellcheck(show),
    ]),
};
