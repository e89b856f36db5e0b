import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { z } from "zod";

/** Longer than any run may take: Airflow ends one after half a day. */
export const longestRunMilliseconds = 24 * 60 * 60 * 1000;

const failure = z.object({ tried_again: z.boolean() });

/** Tells that a version is being loaded: a run that failed before goes on. */
export async function tellLoading(lake: ObjectStore, runId: string, total: number): Promise<void> {
  await lake.put(lakeKeys.progress(runId, "warehouse"), JSON.stringify({ done: 0, total, unit: "rows" }));
}

/**
 * Whether a run does nothing any more: its failure is the last thing it wrote, and is not tried again, or it wrote nothing
 * for longer than any run takes. One that somebody has Airflow do again writes as soon as it loads or builds.
 */
export async function hasEnded(lake: ObjectStore, runId: string, now: number = Date.now()): Promise<boolean> {
  let failedAt = 0;
  let newest = 0;
  for (const prefix of [lakeKeys.run(runId), lakeKeys.progressOf(runId)]) {
    for await (const { key, modified } of lake.list(prefix)) {
      newest = Math.max(newest, modified.getTime());
      if (key === lakeKeys.hop(runId, "failure")) failedAt = modified.getTime();
    }
  }
  if (newest < now - longestRunMilliseconds) return true;
  if (failedAt < newest) return false;
  return (await lake.json(lakeKeys.hop(runId, "failure"), failure))?.tried_again === false;
}
