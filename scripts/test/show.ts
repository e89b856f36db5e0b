import { spawn } from "node:child_process";
import { rootPath } from "../boxHome.ts";

/** Runs a command with its output shown, and answers its exit code. */
export type Show = (command: string, args: string[], env?: NodeJS.ProcessEnv) => Promise<number>;

/** Shows in an open file; in the terminal by default. */
export function showIn(output: number | "inherit" = "inherit"): Show {
  return (command, args, env = process.env) =>
    new Promise((resolve, reject) => {
      const child = spawn(command, args, { cwd: rootPath(), env, stdio: ["ignore", output, output] });
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? 1));
    });
}
