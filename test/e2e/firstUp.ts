import type { TestProject } from "vitest/node";
import { box } from "./sharedBox.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** What the first `./box up` of a box from nothing printed. */
    firstUp: string;
  }
}

export default async function setup(project: TestProject) {
  await box.remove();
  const begin = performance.now();
  project.provide("firstUp", await box.command("up"));
  console.log(`./box up from nothing: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  return () => box.remove();
}
