import { datasetNames } from "@boxoffice/contracts/dataset";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { sourceOf } from "@boxoffice/contracts/loadId";
import type { InputFixes, RunInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { readDecisions, standingsAfter } from "./decisions.ts";
import { type NumberedRecord, parquetRows, recordsParquet } from "./recordsParquet.ts";

/**
 * The decisions about dead letters that a run goes by: all that were made about the bytes of its loads. The records they
 * repaired are written where only the same decisions lead, so of two who write them one does, and both write the same.
 */
export async function fixFixes(lake: ObjectStore, loads: RunInputs["loads"]): Promise<RunInputs["fixes"]> {
  const fixes: RunInputs["fixes"] = {};
  for (const dataset of datasetNames) {
    const source = sourceOf(loads[dataset].load_id);
    const log = await readDecisions(lake, dataset, source);
    if (log.length === 0) continue;
    const prefix = lakeKeys.repaired(dataset, source, log.length);
    const records: NumberedRecord[] = [...standingsAfter(log).decided.values()].flatMap(({ row_number, record }) =>
      record ? [{ row_number, record }] : [],
    );
    records.sort((one, other) => one.row_number - other.row_number);
    if (records.length > 0) await lake.create(objectOf(prefix), recordsParquet(dataset, records));
    fixes[dataset] = { source, decisions: log.length, repaired: records.length, prefix };
  }
  return fixes;
}

/** How many repaired records of a dataset the lake holds for a run. */
export async function countRepaired(lake: ObjectStore, fixes: InputFixes | undefined): Promise<number> {
  if (!fixes) return 0;
  const parquet = await lake.bytes(objectOf(fixes.prefix));
  return parquet ? parquetRows(parquet) : 0;
}

const objectOf = (prefix: string) => `${prefix}/records.parquet`;
