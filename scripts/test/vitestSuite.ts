import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { z } from "zod";
import { rootPath } from "../boxHome.ts";
import type { Show } from "./show.ts";
import type { Count } from "./suite.ts";

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
});

/** Runs a vitest project and counts its tests; a run that broke without a failed test counts as one failure. */
export async function runVitest(show: Show, project: string, env: NodeJS.ProcessEnv = process.env): Promise<Count> {
  mkdirSync(rootPath(".box", "test"), { recursive: true });
  const file = rootPath(".box", "test", `${project}.json`);
  rmSync(file, { force: true });
  const args = ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const code = await show(rootPath("node_modules", ".bin", "vitest"), args, env);
  if (!existsSync(file)) return { passed: 0, failed: 1, notRun: [] };
  const count = report.parse(JSON.parse(readFileSync(file, "utf8")));
  const skipped = count.numPendingTests + count.numTodoTests;
  return {
    passed: count.numPassedTests,
    failed: code !== 0 && count.numFailedTests === 0 ? 1 : count.numFailedTests,
    notRun: skipped > 0 ? [`${skipped} skipped tests of ${project}`] : [],
  };
}
