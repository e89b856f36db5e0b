import type { TestProject } from "vitest/node";
import { breakingOff } from "./breakingOff.ts";
import { box } from "./sharedBox.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** How the first `./box up` of a box from nothing ended, which got a Ctrl-C in its run, and all it said. */
    interruptedUp: { code: number | null; said: string };
    /** What the next one printed, and what it said on the way. */
    firstUp: { stdout: string; stderr: string };
  }
}

export default async function setup(project: TestProject) {
  await box.remove();
  const begin = performance.now();
  const interrupted = await breakingOff(box, ["up"], "ingest.movies", (pid) => process.kill(pid, "SIGINT"));
  project.provide("interruptedUp", interrupted);
  const { code, stdout, stderr } = await box.attempt("up");
  if (code !== 0)
    throw new Error(`./box up ended with exit code ${code}:\n${stderr}\nafter one that said:\n${interrupted.said}`);
  project.provide("firstUp", { stdout, stderr });
  console.log(`./box up from nothing, in two: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  return () => box.remove();
}
