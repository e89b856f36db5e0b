import { datasetNames } from "@boxoffice/contracts/dataset";
import type { HopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { writeHop } from "@boxoffice/platform/writeHop";
import type pg from "pg";
import type { Logger } from "pino";
import { z } from "zod";
import { type Check, checkRun, type RunReports, readReports, refusal, rowsOf } from "./gate.ts";
import { type InputsRequest, readInputs, refuseOlder } from "./inputs.ts";
import { inTransaction, lockVersions, publishedRun } from "./warehouse.ts";
import { checkWarehouse } from "./warehouseChecks.ts";

/** A run that is published now, and the one before it; the same when it was published already, null for the first. */
export interface Publication {
  run_id: string;
  previous_run_id: string | null;
}

const attempts = 5;

/**
 * Publishes a run when every sum and test holds: one row update. Otherwise what was published stays. Its report may be
 * missing afterwards, where the lake does not take it; the same again writes it.
 */
export async function publish(
  lake: ObjectStore,
  pool: pg.Pool,
  { run_id, allow_older = false }: InputsRequest,
  log: Logger,
): Promise<Publication> {
  const started = Date.now();
  const reported = (work: () => Promise<void>) =>
    work().catch((error: Error) => log.warn({ run_id, reason: error.message }, "the publication has no report"));
  const alreadyPublished = async (): Promise<Publication> => {
    await reported(() => completeReport(lake, pool, started, run_id));
    return { run_id, previous_run_id: run_id };
  };
  let previous = await publishedRun(pool);
  if (previous === run_id) return alreadyPublished();
  const reports = await readReports(lake, run_id, previous);
  const sums = checkRun(reports);
  const refuseFailed = async (checks: Check[]) => {
    const failed = checks.filter(({ ok }) => !ok);
    if (failed.length === 0) return;
    const publication = { run_id, previous_run_id: previous };
    await reported(() => writeReport(lake, started, reports, checks, publication, false));
    throw refusal(run_id, previous, failed);
  };
  await refuseFailed(sums);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    if (!allow_older && previous !== null) refuseOlder(reports.inputs, await readInputs(lake, previous));
    const { isCurrent, found } = await makeCurrent(pool, reports, previous);
    const checks = [...sums, ...found];
    await refuseFailed(checks);
    if (isCurrent) {
      const publication = { run_id, previous_run_id: previous };
      await reported(() => writeReport(lake, started, reports, checks, publication, true));
      return publication;
    }
    previous = await publishedRun(pool);
    if (previous === run_id) return alreadyPublished();
  }
  throw new ServiceError(
    "publish_conflict",
    `other runs were published ${attempts} times while run ${run_id} tried to be`,
    {
      retryable: true,
    },
  );
}

/** Writes the report of a run that is published, where the try that published it ended before. */
async function completeReport(lake: ObjectStore, pool: pg.Pool, started: number, run_id: string): Promise<void> {
  const report = await lake.json(lakeKeys.hop(run_id, "publish"), z.object({ published: z.boolean() }));
  if (report?.published) return;
  const reports = await readReports(lake, run_id, null);
  const found = await inTransaction(pool, (client) => checkWarehouse(client, reports));
  const publication = { run_id, previous_run_id: run_id };
  await writeReport(lake, started, reports, [...checkRun(reports), ...found], publication, true);
}

/**
 * Looks whether the warehouse holds the version, then writes the run's rows and updates the one row, in a transaction.
 * The run is not current when the version is not whole, or when another run was published meanwhile.
 */
async function makeCurrent(
  pool: pg.Pool,
  reports: RunReports,
  previous: string | null,
): Promise<{ isCurrent: boolean; found: Check[] }> {
  const { inputs, silver } = reports;
  const { run_id } = inputs;
  return inTransaction(pool, async (client) => {
    await lockVersions(client);
    const found = await checkWarehouse(client, reports);
    if (!found.every(({ ok }) => ok)) return { isCurrent: false, found };
    const update = await client.query(
      `update marts.current set run_id = $1, published_at = now() where run_id is not distinct from $2`,
      [run_id, previous],
    );
    if (update.rowCount !== 1) return { isCurrent: false, found };
    await removePublication(client, run_id);
    await client.query(
      `insert into mart_versions.run_summary (run_id, edition, base_month, inputs)
       select $1, $2, (select max(base_month) from gold.cpi_month where run_id = $1), $3`,
      [run_id, inputs.edition, JSON.stringify(inputs)],
    );
    for (const dataset of datasetNames) {
      const { source_rows, dead_letters, bronze, repaired } = rowsOf(inputs, dataset);
      const rows = silver.rows[dataset];
      await client.query(
        `insert into mart_versions.run_counts
           (run_id, dataset, source_rows, dead_letters, bronze, repaired, silver, dropped)
         values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          ...[run_id, dataset, source_rows, dead_letters, bronze, repaired],
          ...[rows?.rows_out, JSON.stringify(rows?.dropped ?? {})],
        ],
      );
    }
    await client.query(
      `insert into mart_versions.live_watermark (run_id, kafka_partition, kafka_offset)
       select $1, place - 1, kafka_offset from unnest($2::bigint[]) with ordinality as read (kafka_offset, place)`,
      [run_id, inputs.live.offsets],
    );
    return { isCurrent: true, found };
  });
}

/** Removes what says that a run was published once. */
export async function removePublication(client: pg.PoolClient, runId: string): Promise<void> {
  for (const table of ["run_summary", "run_counts", "live_watermark"]) {
    await client.query(`delete from mart_versions.${table} where run_id = $1`, [runId]);
  }
}

/** publish.json is a hop report with every sum that was checked. */
async function writeReport(
  lake: ObjectStore,
  started: number,
  { inputs, silver }: RunReports,
  checks: Check[],
  publication: Publication,
  published: boolean,
): Promise<void> {
  const rows: HopReport["rows"] = {};
  for (const dataset of datasetNames) {
    const { source_rows, dead_letters, repaired } = rowsOf(inputs, dataset);
    const through = silver.rows[dataset];
    rows[dataset] = {
      // A repaired record comes beside its dead letter, which stays one.
      rows_in: source_rows + repaired,
      rows_out: through?.rows_out ?? 0,
      dropped: { dead_letters, ...through?.dropped },
    };
  }
  await writeHop(lake, started, { hop: "publish", rows, published, checks, ...publication });
}
