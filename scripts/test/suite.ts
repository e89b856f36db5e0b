import type { Toolchain } from "../install/toolchain.ts";
import type { Show } from "./show.ts";

export interface Count {
  passed: number;
  failed: number;
  /** What failed and why, a text each. Empty where the suite cannot tell. */
  failures: string[];
  /** What could not run on this machine, and why. */
  notRun: string[];
}

export interface SuiteContext {
  toolchain: Toolchain;
  /** Virtual environment with the pipeline's packages and the test tools. */
  python: string;
  /** Whether containers may be used where an engine answers. */
  mayUseDocker: boolean;
  show: Show;
}

/** A part of the tests that runs by itself. */
export interface Suite {
  name: string;
  /** Whether it starts engines; `--quick` leaves it out then. */
  needsEngines: boolean;
  /** Whether it is about containers; `--no-docker` leaves it out then. */
  needsDocker?: boolean;
  /** Whether it may run beside the others that start engines: it waits as long as it computes. */
  mayRunBeside?: boolean;
  /** Whether it runs only when it is named. */
  isOnRequest?: boolean;
  run: (context: SuiteContext) => Promise<Count>;
}

/** A part that ended without saying which of its tests failed. */
export const brokeOff = (what: string): Count => ({ passed: 0, failed: 1, failures: [what], notRun: [] });

/** The counts of several parts as one. */
export function sum(counts: readonly Count[]): Count {
  return {
    passed: counts.reduce((total, { passed }) => total + passed, 0),
    failed: counts.reduce((total, { failed }) => total + failed, 0),
    failures: counts.flatMap(({ failures }) => failures),
    notRun: counts.flatMap(({ notRun }) => notRun),
  };
}
