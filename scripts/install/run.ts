import { spawn } from "node:child_process";
import { BoxError, exitCode } from "../boxError.ts";
import { withDescendants } from "../embedded/processTree.ts";
import { interruption } from "../interrupt.ts";

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** What errors call it; by default its whole command line. */
  title?: string;
  /** An open file that the command reads; nothing by default. */
  input?: number;
  /** What ends it early; by default the user. */
  signal?: AbortSignal;
}

/** Runs a command to its end, or until the user interrupts, and answers its standard output; when it fails, an error with its last lines. */
export async function run(
  command: string,
  args: string[],
  { title, input, signal = interruption, ...options }: RunOptions = {},
): Promise<string> {
  signal.throwIfAborted();
  const child = spawn(command, args, { ...options, stdio: [input ?? "ignore", "pipe", "pipe"] });
  const end = () => endTree(child.pid);
  signal.addEventListener("abort", end);
  let output = "";
  let both = "";
  child.stdout?.on("data", (chunk) => {
    output += chunk;
    both += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    both += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  })
    .catch((error: Error) => {
      throw new BoxError(`'${command}' could not be run: ${error.message}`, exitCode.environment, error);
    })
    .finally(() => signal.removeEventListener("abort", end));
  signal.throwIfAborted();
  if (code === 0) return output;
  const tail = both.trim().split("\n").slice(-15).join("\n");
  throw new BoxError(
    `${title ?? `'${[command, ...args].join(" ")}'`} failed with exit code ${code}:\n${tail}`,
    exitCode.environment,
  );
}

/** An installer's own children do not end with it. */
function endTree(pid: number | undefined): void {
  for (const member of pid === undefined ? [] : withDescendants([pid])) {
    try {
      process.kill(member);
    } catch {
      // It ended by itself.
    }
  }
}
