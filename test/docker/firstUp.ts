import type { TestProject } from "vitest/node";
import type { CommandResult } from "../kit/testBox.ts";
import { box } from "./composeBox.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** How `docker compose up --wait` ended, from images alone. */
    composeUp: CommandResult;
  }
}

export default async function setup(project: TestProject) {
  await box.remove();
  await box.composed("build", "--quiet");
  const begin = performance.now();
  project.provide("composeUp", await box.compose(["up", "--wait", "--quiet-pull"]));
  console.log(`docker compose up --wait: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  return () => box.remove();
}
