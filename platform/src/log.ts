import { type Logger, pino } from "pino";

/** A structured log on standard output. Pass ids and counts, never payloads or secrets. */
export function serviceLog(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ["*.password", "*.secret", "*.authorization", "headers.authorization"], censor: "[hidden]" },
  });
}
