import { type HopReport, hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";

/** Writes what a hop did beside the run's other reports; `started` is when it began, milliseconds since 1970. */
export async function writeHop(
  lake: ObjectStore,
  started: number,
  report: Omit<HopReport, "started_at" | "seconds">,
): Promise<void> {
  const timed: HopReport = {
    ...report,
    started_at: new Date(started).toISOString(),
    seconds: (Date.now() - started) / 1000,
  };
  await lake.put(lakeKeys.hop(report.run_id, report.hop), JSON.stringify(timed, undefined, 2));
}

/** The report of a hop of a run, or undefined when the run has none. */
export function readHop(lake: ObjectStore, runId: string, hop: string): Promise<HopReport | undefined> {
  return lake.json(lakeKeys.hop(runId, hop), hopReport);
}

/** The report of a hop that must have been done before. */
export async function requireHop(lake: ObjectStore, runId: string, hop: string): Promise<HopReport> {
  const report = await readHop(lake, runId, hop);
  if (report) return report;
  throw missingReport(runId, hop);
}

/** The error for a run without the report of a hop. */
export function missingReport(runId: string, hop: string): ServiceError {
  return new ServiceError(
    "missing_report",
    `run ${runId} has no ${lakeKeys.hop(runId, hop)}: its hop ${hop} has not ended`,
  );
}
