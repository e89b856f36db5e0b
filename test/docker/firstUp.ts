import type { TestProject } from "vitest/node";
import { type CommandResult, runToEnd } from "../kit/testBox.ts";
import { box, linesOf } from "./composeBox.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** How `docker compose up --wait` ended, from the official images alone. */
    composeUp: CommandResult;
  }
}

export default async function setup(project: TestProject) {
  await box.remove();
  const own = linesOf(await box.composed("config", "--images")).filter((name) => name.startsWith("boxoffice/"));
  // Those that a test before has left. It may have left none, and the layers they are of stay.
  await runToEnd("docker", ["rmi", ...own], process.env);
  const begin = performance.now();
  project.provide("composeUp", await box.compose(["up", "--wait", "--quiet-pull"]));
  console.log(`docker compose up --wait: ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  return () => box.remove();
}
