import { spawn } from "node:child_process";
import { BoxError, exitCode } from "../boxError.ts";

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

/** Runs a command to its end and answers its standard output; when it fails, an error with its last lines. */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let both = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
    both += chunk;
  });
  child.stderr.on("data", (chunk) => {
    both += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  }).catch((error: Error) => {
    throw new BoxError(`'${command}' could not be run: ${error.message}`, exitCode.environment, error);
  });
  if (code === 0) return output;
  const tail = both.trim().split("\n").slice(-15).join("\n");
  throw new BoxError(`'${[command, ...args].join(" ")}' failed with exit code ${code}:\n${tail}`, exitCode.environment);
}
