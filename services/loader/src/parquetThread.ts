import { ServiceError } from "@boxoffice/platform/serviceError";
import { Piscina } from "piscina";
import { type GroupFile, groupParquet } from "./groupParquet.ts";
import type { Slice } from "./openGroups.ts";
import { youngHeap } from "./youngHeap.ts";

/** What `groupParquet` answers or throws, as it passes from one thread to another: an error's class and code do not. */
export type Outcome = { file: GroupFile } | { refused: { code: string; message: string } };

/** Groups of fewer rows take less time than a thread takes to start. */
const fewRows = 200_000;
const idleMilliseconds = 10_000;

/** Encodes groups of many rows in a thread beside the service's own, which takes slices and sends objects meanwhile. */
export class ParquetThread {
  readonly #pool: Piscina<readonly Slice[], Outcome>;

  /** `execArgv` has Node read TypeScript; by default as this process does. */
  constructor(execArgv: string[] = process.execArgv) {
    this.#pool = new Piscina({
      execArgv,
      filename: new URL("./parquetThreadMain.ts", import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      resourceLimits: youngHeap,
      idleTimeout: idleMilliseconds,
    });
  }

  /** As `groupParquet`. The slices stay as they are. */
  async encode(slices: readonly Slice[]): Promise<GroupFile> {
    if (slices.reduce((sum, { rows }) => sum + rows, 0) < fewRows) return groupParquet(slices);
    const outcome = await this.#pool.run(slices);
    if ("file" in outcome) return outcome.file;
    throw new ServiceError(outcome.refused.code, outcome.refused.message);
  }

  /** Ends the thread; what it is at is broken off. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
