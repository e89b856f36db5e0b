import { type HopReport, hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";

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
