import { spawn } from "node:child_process";
import { rootPath } from "../../scripts/boxHome.ts";
import type { TestBox } from "../kit/testBox.ts";

/** Runs ./box, calls `act` when it has said `text`, and answers how it ended. */
export async function breakingOff(of: TestBox, args: string[], text: string, act: (pid: number) => void) {
  const child = spawn(rootPath("box"), args, { env: of.environment, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let isDone = false;
  const listen = (chunk: Buffer) => {
    said += chunk;
    if (isDone || !said.includes(text) || child.pid === undefined) return;
    isDone = true;
    act(child.pid);
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said };
}
