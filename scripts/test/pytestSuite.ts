import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rootPath } from "../boxHome.ts";
import type { Show } from "./show.ts";
import { brokeOff, type Count } from "./suite.ts";

/** A test that failed, in pytest's report: its file as a module, its name and the first line of why. */
const failedTest = /<testcase classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error) message="(.*?)(?:&#10;|")/gs;

const entities: Record<string, string> = { "&quot;": '"', "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const plain = (xml = "") => xml.replace(/&(?:quot|lt|gt|amp);/g, (entity) => entities[entity] ?? entity);

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
  if (!existsSync(file))
    return brokeOff(`${folders.join(", ")}: pytest ended with exit code ${code} and without a report`);
  const report = readFileSync(file, "utf8");
  const attributes = /<testsuite [^>]*>/.exec(report)?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0);
  const failed = count("errors") + count("failures");
  const skipped = count("skipped");
  return {
    passed: count("tests") - failed - skipped,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    failures: [...report.matchAll(failedTest)].map(([, module, name, why]) =>
      `${module} ${plain(name)}\n${plain(why)}`.trim(),
    ),
    notRun: skipped > 0 ? [`${skipped} skipped tests of ${folders.join(", ")}`] : [],
  };
}
