import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rootPath } from "../boxHome.ts";
import type { Show } from "./show.ts";
import type { Count } from "./suite.ts";

/** Runs the pytest files below some folders and counts their tests. */
export async function runPytest(
  show: Show,
  python: string,
  folders: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Count> {
  mkdirSync(rootPath(".box", "test"), { recursive: true });
  const file = rootPath(".box", "test", "pytest.xml");
  rmSync(file, { force: true });
  const code = await show(join(python, "bin", "python"), ["-m", "pytest", "-q", `--junitxml=${file}`, ...folders], {
    ...env,
    PATH: `${join(python, "bin")}:${process.env.PATH ?? ""}`,
    PYTHONPATH: `${rootPath()}:${rootPath("dags")}`,
  });
  if (!existsSync(file)) return { passed: 0, failed: 1, notRun: [] };
  const attributes = /<testsuite [^>]*>/.exec(readFileSync(file, "utf8"))?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0);
  const failed = count("errors") + count("failures");
  const skipped = count("skipped");
  return {
    passed: count("tests") - failed - skipped,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    notRun: skipped > 0 ? [`${skipped} skipped tests of ${folders.join(", ")}`] : [],
  };
}
