import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Box } from "../openBox.ts";
import { readHops } from "../pipeline/hopReports.ts";
import { s3Settings } from "../s3Settings.ts";

/** Seconds from the first object of a run's ratings in bronze to the last, by the store's clock: the loader at work, mostly beside ingest. */
export async function bronzeSpan(box: Box, runId: string): Promise<number> {
  const lake = new ObjectStore(s3Settings(box.environment));
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
