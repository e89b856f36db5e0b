import { partsOf } from "@boxoffice/contracts/hopReport";
import pg from "pg";
import { type Check, equal, type RunReports } from "./gate.ts";
import { countRows, partitionOf, partitionState } from "./partitions.ts";
import { countFacts, factsPlace, heldParts, sharedTable } from "./sharedFacts.ts";

/** The tables of mart_versions that dbt does not fill. */
const filledByLoader = ["run_summary", "run_counts", "live_watermark", "shared_facts"];

/** What the reports say of a version, held against the warehouse itself: a version may have gone since it was loaded. */
export async function checkWarehouse(
  client: pg.PoolClient,
  { inputs: { run_id }, gold, warehouse }: RunReports,
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const table of Object.keys(gold.tables ?? {})) {
    if (table === sharedTable) {
      checks.push(...(await checkFacts(client, run_id, gold, warehouse)));
      continue;
    }
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

/** The same of the ratings, which may be in another run's partition. */
async function checkFacts(
  client: pg.PoolClient,
  runId: string,
  gold: RunReports["gold"],
  warehouse: RunReports["warehouse"],
): Promise<Check[]> {
  const { run_id, place } = await factsPlace(client, runId);
  const partition = partitionOf(sharedTable, run_id);
  const state = await partitionState(client, partition);
  const isAttached = state?.attached && !state.detaching;
  const held = state?.comment && heldParts(state.comment).slice(0, place + 1);
  return [
    equal(`${sharedTable}: partition in the warehouse`, "attached", isAttached ? "attached" : undefined),
    equal(`${sharedTable}: parts of gold = the partition's`, partsOf(gold, sharedTable).added.join(), held?.join()),
    equal(
      `${sharedTable}: rows loaded = rows in the warehouse now`,
      warehouse.rows[sharedTable]?.rows_out,
      state && (await countFacts(client, partition, place)),
    ),
  ];
}

async function builtMarts(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name
     from pg_class
     where relnamespace = 'mart_versions'::regnamespace and relkind = 'r' and relname <> all ($1)
     order by relname`,
    [filledByLoader],
  );
  return rows.map(({ name }) => name);
}
