import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { z } from "zod";
import { root, rootPath } from "../boxHome.ts";
import type { Show } from "./show.ts";
import { brokeOff, type Count } from "./suite.ts";

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.enum(["passed", "failed"]),
      message: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

/** What failed in a file: its tests, or else what kept them from running. */
function failuresOf({
  name,
  status,
  message,
  assertionResults,
}: z.infer<typeof report>["testResults"][number]): string[] {
  if (status === "passed") return [];
  const file = relative(root, name);
  const failed = assertionResults.filter((result) => result.status === "failed");
  if (failed.length === 0) return [`${file}: ${message || "tests of it did not run; above it says why"}`];
  return failed.map(({ fullName, failureMessages }) => `${file}: ${fullName}\n${failureMessages.join("\n")}`);
}

/** Runs a vitest project and counts its tests; a run that broke without a failed test counts as one failure. */
export async function runVitest(show: Show, project: string, env: NodeJS.ProcessEnv = process.env): Promise<Count> {
  mkdirSync(rootPath(".box", "test"), { recursive: true });
  const file = rootPath(".box", "test", `${project}.json`);
  rmSync(file, { force: true });
  const args = ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const code = await show(rootPath("node_modules", ".bin", "vitest"), args, env);
  if (!existsSync(file)) return brokeOff(`${project}: vitest ended with exit code ${code} and without a report`);
  const count = report.parse(JSON.parse(readFileSync(file, "utf8")));
  const skipped = count.numPendingTests + count.numTodoTests;
  return {
    passed: count.numPassedTests,
    failed: code !== 0 && count.numFailedTests === 0 ? 1 : count.numFailedTests,
    failures: count.testResults.flatMap(failuresOf),
    notRun: skipped > 0 ? [`${skipped} skipped tests of ${project}`] : [],
  };
}
