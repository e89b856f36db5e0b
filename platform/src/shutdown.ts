import type { Logger } from "pino";

const deadlineMilliseconds = 9_000;

/** On SIGTERM or SIGINT closes what is given, in order, and exits 0; exits 1 when that takes over nine seconds. */
export function closeOnSignal(log: Logger, closers: readonly (() => Promise<void> | void)[]): void {
  let closing = false;
  const close = async (signal: NodeJS.Signals) => {
    if (closing) return;
    closing = true;
    log.info({ signal }, "stopping");
    setTimeout(() => process.exit(1), deadlineMilliseconds).unref();
    for (const closer of closers) await closer();
    process.exit(0);
  };
  process.on("SIGTERM", close);
  process.on("SIGINT", close);
}
