import type { Logger } from "pino";

const deadlineMilliseconds = 9_000;

/**
 * On SIGTERM or SIGINT closes what is given, in order, and exits 0; exits 1 when that takes over nine seconds. One that
 * cannot be closed does not keep the others from it.
 */
export function closeOnSignal(log: Logger, closers: readonly (() => Promise<void> | void)[]): void {
  let closing = false;
  const close = async (signal: NodeJS.Signals) => {
    if (closing) return;
    closing = true;
    log.info({ signal }, "stopping");
    setTimeout(() => process.exit(1), deadlineMilliseconds).unref();
    for (const closer of closers) {
      try {
        await closer();
      } catch (error) {
        log.warn({ reason: error instanceof Error ? error.message : String(error) }, "not closed");
      }
    }
    process.exit(0);
  };
  process.on("SIGTERM", close);
  process.on("SIGINT", close);
}
