import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BoxError, exitCode } from "../boxError.ts";
import { rootPath } from "../boxHome.ts";
import { onPath } from "./onPath.ts";
import { run } from "./run.ts";

const candidates = ["python3.11", "python3.12", "python3.13", "python3", "python3.10"];
const supported = /^3\.(11|12|13)$/;

/** The first supported Python on the PATH. */
export async function findPython(): Promise<string> {
  const seen: string[] = [];
  for (const candidate of candidates) {
    if (!onPath(candidate)) continue;
    const version = await run(candidate, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).catch(() => "");
    if (supported.test(version.trim())) return candidate;
    if (version) seen.push(`${candidate} is ${version.trim()}`);
  }
  const found = seen.length > 0 ? seen.join(", ") : "none was found";
  throw new BoxError(
    `Python 3.11, 3.12 or 3.13 is needed on the PATH (${found}).\nInstall it, e.g. 'apt-get install python3 python3-venv' or 'brew install python@3.11', then run this again.`,
    exitCode.environment,
  );
}

/** Whether a Python has what making a virtual environment takes; Debian ships it in a package of its own. */
export function canMakeVenv(python: string): Promise<boolean> {
  return run(python, ["-c", "import ensurepip, venv"]).then(
    () => true,
    () => false,
  );
}

/** Makes a virtual environment with the locked uv. */
export async function installUv(folder: string): Promise<void> {
  const python = await findPython();
  await run(python, ["-m", "venv", folder]).catch((error: Error) => {
    throw new BoxError(
      `${python} cannot make a virtual environment: ${error.message}\nOn Debian and Ubuntu: apt-get install python3-venv`,
      exitCode.environment,
    );
  });
  await run(join(folder, "bin", "pip"), ["install", "-q", "--require-hashes", "-r", rootPath("requirements/uv.txt")]);
}

/** Makes a virtual environment with exactly what lock files name, compiled, so that no first start has that to do. */
export async function createVenv(uv: string, folder: string, ...lockFiles: string[]): Promise<void> {
  const python = await findPython();
  const uvCommand = join(uv, "bin", "uv");
  await run(uvCommand, ["venv", "-q", "--clear", "--python", python, folder]);
  const locks = lockFiles.flatMap((file) => ["-r", rootPath(file)]);
  await run(uvCommand, ["pip", "install", "-q", "--compile-bytecode", "--require-hashes", ...locks], {
    env: { ...process.env, VIRTUAL_ENV: folder },
  });
}

/** Where a virtual environment holds a package. */
export function packageFolder(venv: string, name: string): string {
  const version = readdirSync(join(venv, "lib")).find((entry) => entry.startsWith("python3."));
  return join(venv, "lib", version ?? "python3", "site-packages", name);
}
