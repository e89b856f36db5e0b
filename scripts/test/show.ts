import { spawn } from "node:child_process";
import { rootPath } from "../boxHome.ts";

/** Runs a command with its output shown, and answers its exit code. */
export function show(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: rootPath(), env, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}
