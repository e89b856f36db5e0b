import pg from "pg";
import { type Check, equal, type RunReports } from "./gate.ts";
import { countRows, partitionOf, partitionState } from "./partitions.ts";

/** The tables of mart_versions that the publication itself fills. */
const filledByPublication = ["run_summary", "run_counts", "live_watermark"];

/** What the reports say of a version, held against the warehouse itself: a version may have gone since it was loaded. */
export async function checkWarehouse(
  client: pg.PoolClient,
  { inputs: { run_id }, gold, warehouse }: RunReports,
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const table of Object.keys(gold.tables ?? {})) {
    const partition = partitionOf(table, run_id);
    const state = await partitionState(client, partition);
    const isAttached = state?.attached && !state.detaching;
    checks.push(
      equal(`${table}: partition in the warehouse`, "attached", isAttached ? "attached" : undefined),
      equal(`${table}: gold prefix = the partition's`, gold.prefix, state?.comment?.prefix),
      equal(
        `${table}: rows loaded = rows in the warehouse now`,
        warehouse.rows[table]?.rows_out,
        state && (await countRows(client, partition)),
      ),
    );
  }
  for (const mart of await builtMarts(client)) {
    const { rowCount } = await client.query(
      `select from mart_versions.${pg.escapeIdentifier(mart)} where run_id = $1 limit 1`,
      [run_id],
    );
    checks.push(equal(`mart ${mart}: rows of the run`, "some", rowCount ? "some" : undefined));
  }
  return checks;
}

async function builtMarts(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name
     from pg_class
     where relnamespace = 'mart_versions'::regnamespace and relkind = 'r' and relname <> all ($1)
     order by relname`,
    [filledByPublication],
  );
  return rows.map(({ name }) => name);
}
