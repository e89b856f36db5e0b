import type { Box } from "./openBox.ts";
import { type RunOutcome, runPipeline } from "./pipeline/runPipeline.ts";
import { watchMemory } from "./watchMemory.ts";

export interface BenchReport {
  run_id: string;
  seconds: number;
  waiting_seconds: number;
  peak_memory_mib: number;
  peak_by_service_mib: Record<string, number>;
  hops: BenchedHop[];
}

export interface BenchedHop {
  hop: string;
  seconds: number;
  rows_in: number;
  rows_per_second: number;
  /** Of all services together while it was at work; undefined for a hop too short for a sample. */
  peak_memory_mib: number | undefined;
  /** Of each of them its own. */
  peak_by_service_mib: Record<string, number>;
}

/** A full-refresh run on engines that are up: seconds and rows per second of each hop, waiting, and memory. */
export async function bench(box: Box, edition: string | undefined, signal: AbortSignal): Promise<BenchReport> {
  const memory = await watchMemory(box.runtime);
  let outcome: RunOutcome;
  try {
    outcome = await runPipeline(
      box,
      { full_refresh: true, allow_older: true, ...(edition === undefined ? {} : { edition }) },
      signal,
    );
  } finally {
    memory.stop();
  }
  return {
    run_id: outcome.runId,
    seconds: outcome.seconds,
    waiting_seconds: outcome.waitingSeconds,
    peak_memory_mib: memory.peak() ?? 0,
    peak_by_service_mib: memory.peakByService(),
    hops: outcome.hops.map(({ name, seconds, rowsIn, startedAt }) => {
      const period = { from: startedAt, to: startedAt + seconds * 1000 };
      return {
        hop: name,
        seconds,
        rows_in: rowsIn,
        rows_per_second: seconds > 0 ? rowsIn / seconds : 0,
        peak_memory_mib: memory.peak(period),
        peak_by_service_mib: memory.peakByService(period),
      };
    }),
  };
}

/** The report as lines for a terminal. */
export function benchText(report: BenchReport): string {
  const hops = report.hops.map(
    ({ hop, seconds, rows_in, rows_per_second, peak_memory_mib = "" }) =>
      `  ${hop.padEnd(16)}${seconds.toFixed(2).padStart(8)} s${rows_in.toLocaleString("en").padStart(12)} rows${Math.round(rows_per_second).toLocaleString("en").padStart(12)} rows/s${String(peak_memory_mib).padStart(8)}${peak_memory_mib === "" ? "" : " MiB"}`,
  );
  const services = Object.entries(report.peak_by_service_mib).map(
    ([name, mib]) => `  ${name.padEnd(24)}${String(mib).padStart(6)} MiB`,
  );
  const share = Math.round((report.waiting_seconds / report.seconds) * 100);
  return [
    ...hops,
    `run      ${report.seconds.toFixed(1)} s`,
    `waiting  ${report.waiting_seconds.toFixed(1)} s of it between tasks (${share} %)`,
    `memory   ${report.peak_memory_mib} MiB at the peak, all services together; beside a hop, while it was at work`,
    "peak of each service, not at one moment:",
    ...services,
  ].join("\n");
}
