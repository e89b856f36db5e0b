import { mkdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { rootPath } from "../boxHome.ts";
import { show } from "./show.ts";
import type { Count } from "./suite.ts";

const report = z.object({ numPassedTests: z.number(), numFailedTests: z.number(), success: z.boolean() });

/** Runs a vitest project and counts its tests; a run that broke without a failed test counts as one failure. */
export async function runVitest(project: string, env: NodeJS.ProcessEnv): Promise<Count> {
  mkdirSync(rootPath(".box", "test"), { recursive: true });
  const file = rootPath(".box", "test", `${project}.json`);
  const args = ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const code = await show(rootPath("node_modules", ".bin", "vitest"), args, env);
  const { numPassedTests: passed, numFailedTests } = report.parse(JSON.parse(readFileSync(file, "utf8")));
  return { passed, failed: code !== 0 && numFailedTests === 0 ? 1 : numFailedTests };
}
