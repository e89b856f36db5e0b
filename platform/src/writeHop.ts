import type { HopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "./objectStore.ts";

/** Writes what a hop did beside the run's other reports; `started` is when it began, milliseconds since 1970. */
export async function writeHop<Report extends Omit<HopReport, "started_at" | "seconds">>(
  lake: ObjectStore,
  started: number,
  report: Report,
): Promise<void> {
  const timed = { ...report, started_at: new Date(started).toISOString(), seconds: (Date.now() - started) / 1000 };
  await lake.put(lakeKeys.hop(report.run_id, report.hop), JSON.stringify(timed, undefined, 2));
}
