import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { sourceOf } from "@boxoffice/contracts/loadId";
import { type InputFixes, loadsOf, type RunInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { readDecisions, standingsAfter } from "./decisions.ts";
import { type NumberedRecord, parquetRows, recordsParquet } from "./recordsParquet.ts";

/**
 * The decisions about dead letters that a run goes by: all that were made about the bytes of its loads. The records they
 * repaired are written where only the same decisions lead, so of two who write them one does, and both write the same.
 */
export async function fixFixes(
  lake: ObjectStore,
  inputs: Pick<RunInputs, "loads" | "appended">,
): Promise<RunInputs["fixes"]> {
  const fixes: RunInputs["fixes"] = {};
  for (const dataset of datasetNames) {
    const ofDataset: InputFixes[] = [];
    for (const { load_id } of loadsOf(inputs, dataset)) {
      const ofLoad = await fixesOf(lake, dataset, sourceOf(load_id));
      if (ofLoad) ofDataset.push(ofLoad);
    }
    if (ofDataset.length > 0) fixes[dataset] = ofDataset;
  }
  return fixes;
}

async function fixesOf(lake: ObjectStore, dataset: DatasetName, source: string): Promise<InputFixes | undefined> {
  const log = await readDecisions(lake, dataset, source);
  if (log.length === 0) return undefined;
  const prefix = lakeKeys.repaired(dataset, source, log.length);
  const records: NumberedRecord[] = [...standingsAfter(log).decided.values()].flatMap(({ row_number, record }) =>
    record ? [{ row_number, record }] : [],
  );
  records.sort((one, other) => one.row_number - other.row_number);
  if (records.length > 0) await lake.create(objectOf(prefix), recordsParquet(dataset, records));
  return { source, decisions: log.length, repaired: records.length, prefix };
}

/** How many repaired records of a dataset the lake holds for a run. */
export async function countRepaired(lake: ObjectStore, fixes: readonly InputFixes[] = []): Promise<number> {
  let repaired = 0;
  for (const { prefix } of fixes) {
    const parquet = await lake.bytes(objectOf(prefix));
    repaired += parquet ? parquetRows(parquet) : 0;
  }
  return repaired;
}

const objectOf = (prefix: string) => `${prefix}/records.parquet`;
