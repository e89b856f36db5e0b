import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootPath } from "../../scripts/boxHome.ts";

function python(args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.env.TEST_PYTHON ?? "python3", args, {
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  if (status === 0) return stdout;
  throw new Error(`${args[0]} failed:\n${stdout}\n${stderr}`);
}

/** Compares an answers document with the pandas computation from the same edition; throws naming each figure that differs. */
export function compareWithOracle(answers: string, edition: string): string {
  const folder = mkdtempSync(join(tmpdir(), "oracle-"));
  const actual = join(folder, "actual.json");
  const expected = join(folder, "expected.json");
  writeFileSync(actual, answers);
  python([rootPath("test", "oracle", "oracle.py"), edition, "--out", expected]);
  return python([rootPath("test", "oracle", "compare.py"), expected, actual]);
}
