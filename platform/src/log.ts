import { writeSync } from "node:fs";
import { type DestinationStream, type Logger, pino } from "pino";

const busyAttempts = 100;
const busyMilliseconds = 10;
const never = new Int32Array(new SharedArrayBuffer(4));

/** A structured log on standard output. Pass ids and counts, never payloads or secrets. */
export function serviceLog(service: string, level: string): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ["*.password", "*.secret", "*.authorization", "headers.authorization"], censor: "[hidden]" },
    },
    standardOutput(),
  );
}

/**
 * Drops what standard output does not take: a full disk must not stop a service for its log. pino's own stream keeps
 * the lines and tries them for ever when the process ends.
 */
function standardOutput(): DestinationStream {
  let isCut = false;
  return {
    write: (line) => {
      const bytes = Buffer.from(isCut ? `\n${line}` : line);
      const written = writeUntilRefused(bytes);
      if (written > 0) isCut = written < bytes.length;
    },
  };
}

/** The number of bytes that standard output took. */
function writeUntilRefused(bytes: Buffer): number {
  let written = 0;
  for (let attempt = 1; written < bytes.length; ) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      // A pipe that does not block is busy until its reader has read.
      const isBusy = error instanceof Error && "code" in error && error.code === "EAGAIN";
      if (!isBusy || attempt === busyAttempts) break;
      attempt += 1;
      Atomics.wait(never, 0, 0, busyMilliseconds);
    }
  }
  return written;
}
