import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { Box } from "../openBox.ts";
import { openLake } from "../openLake.ts";
import { readHops } from "../pipeline/hopReports.ts";

/** Seconds from the first object of a run's ratings in bronze to the last, by the store's clock: the loader at work, mostly beside ingest. */
export async function bronzeSpan(box: Box, runId: string): Promise<number> {
  const lake = await openLake(box.environment);
  try {
    const loadId = (await readHops(lake, runId)).find(({ name }) => name === "ingest.ratings")?.loadId;
    if (!loadId) throw new Error(`run ${runId} ingested no ratings`);
    const times: number[] = [];
    for await (const { key, modified } of lake.list(`${lakeKeys.bronze("ratings", loadId)}/`)) {
      if (key.endsWith(".parquet")) times.push(modified.getTime());
    }
    // A run of a single object lasts as long as the clock's second.
    return Math.max(1, (Math.max(...times) - Math.min(...times)) / 1000);
  } finally {
    lake.close();
  }
}
