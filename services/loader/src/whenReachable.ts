import { setTimeout as sleep } from "node:timers/promises";
import { fullDisk } from "@boxoffice/platform/fullDisk";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type { Logger } from "pino";

const attempts = 30;

/** Does what needs an engine. Engines may start after the service, or answer before they can work: it is tried again. */
export async function whenReachable(what: string, work: () => Promise<void>, log: Logger): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      const isFinal = (error instanceof ServiceError && !error.retryable) || fullDisk(error) !== undefined;
      if (isFinal || attempt === attempts) throw error;
      log.warn({ attempt, reason: error instanceof Error ? error.message : String(error) }, `waiting for ${what}`);
      await sleep(Math.min(500 * attempt, 5_000));
    }
  }
}
