import type { Toolchain } from "../install/toolchain.ts";

export interface Count {
  passed: number;
  failed: number;
}

export interface SuiteContext {
  toolchain: Toolchain;
  /** Virtual environment with the pipeline's packages and the test tools. */
  python: string;
}

/** A part of the tests that runs by itself. */
export interface Suite {
  name: string;
  run: (context: SuiteContext) => Promise<Count>;
}
