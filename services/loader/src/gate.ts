import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { type DbtReport, dbtReport, type HopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { type LiveInput, loadsOf, type RunInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { listGroups } from "./bronze.ts";
import { countDeadLetters } from "./deadLetters.ts";
import { countRepaired } from "./fixesInput.ts";
import { missingReport, requireHop } from "./hopReports.ts";
import { readInputs } from "./inputs.ts";
import { countLive } from "./liveBronze.ts";

type Figure = number | string | undefined;

/** One sum or test that must hold before a run is published. */
export interface Check {
  name: string;
  expected: Figure;
  actual: Figure;
  ok: boolean;
}

/** The check that a figure is there and is the expected one. */
export function equal(name: string, expected: Figure, actual: Figure): Check {
  return { name, expected, actual, ok: expected !== undefined && expected === actual };
}

/** Everything that a run's hops say of it, and what is in the lake. */
export interface RunReports {
  inputs: RunInputs;
  silver: HopReport;
  gold: HopReport;
  warehouse: HopReport;
  dbt: DbtReport;
  /** Counted in the lake, by dataset. */
  lake: Record<string, { bronze: number; dead_letters: number; repaired: number }>;
  /** Counted in the lake, up to the run's barrier. */
  lakeLive: Pick<LiveInput, "bronze" | "dead_letters">;
}

/** Reads them; `previous` is the run that is published, whose count of live ratings is gone on from. */
export async function readReports(lake: ObjectStore, runId: string, previous: string | null): Promise<RunReports> {
  const inputs = await readInputs(lake, runId);
  if (!inputs) throw missingReport(runId, "inputs");
  const [silver, gold, warehouse] = await Promise.all([
    requireHop(lake, runId, "silver"),
    requireHop(lake, runId, "gold"),
    requireHop(lake, runId, "warehouse"),
  ]);
  const dbt = await lake.json(lakeKeys.hop(runId, "dbt"), dbtReport);
  if (!dbt) throw missingReport(runId, "dbt");
  const counted: RunReports["lake"] = {};
  for (const dataset of datasetNames) {
    const ofDataset = { bronze: 0, dead_letters: 0, repaired: await countRepaired(lake, inputs.fixes[dataset]) };
    for (const { load_id } of loadsOf(inputs, dataset)) {
      for (const { rows } of await listGroups(lake, dataset, load_id)) ofDataset.bronze += rows;
      ofDataset.dead_letters += await countDeadLetters(lake, dataset, load_id);
    }
    counted[dataset] = ofDataset;
  }
  const known = previous === null || previous === runId ? undefined : (await readInputs(lake, previous))?.live;
  const lakeLive = await countLive(lake, { known, below: inputs.live.offsets });
  return { inputs, silver, gold, warehouse, dbt, lake: counted, lakeLive };
}

/** Tables of silver that go on row by row, and what they are in gold. */
const goldOfSilver = {
  movie: "dim_movie",
  genre: "dim_genre",
  movie_genre: "bridge_movie_genre",
  cpi_month: "cpi_month",
};

/** Each row of a dataset in silver is in its table in gold, or dropped from it for a reason. */
const factOfDataset = {
  ratings: "fact_rating",
  movies: "fact_box_office",
  links: "bridge_movielens_movie",
} as const;

type ReadRows = Pick<LiveInput, "source_rows" | "dead_letters" | "bronze">;

/** What a run reads of a dataset: its loads, for ratings the live ones too, and the records that were repaired. */
export function rowsOf(inputs: RunInputs, dataset: DatasetName): ReadRows & { repaired: number } {
  const repaired = (inputs.fixes[dataset] ?? []).reduce((sum, fixes) => sum + fixes.repaired, 0);
  const bulk = sumOf(loadsOf(inputs, dataset));
  return { repaired, ...(dataset === "ratings" ? sumOf([bulk, inputs.live]) : bulk) };
}

function sumOf(read: readonly ReadRows[]): ReadRows {
  const sum = (of: keyof ReadRows) => read.reduce((total, rows) => total + rows[of], 0);
  return { source_rows: sum("source_rows"), dead_letters: sum("dead_letters"), bronze: sum("bronze") };
}

/** Every sum along the run's road, and its tests. */
export function checkRun({ inputs, silver, gold, warehouse, dbt, lake, lakeLive }: RunReports): Check[] {
  const checks: Check[] = [];
  const add = (name: string, expected: Figure, actual: Figure) => checks.push(equal(name, expected, actual));

  for (const dataset of datasetNames) {
    const load = sumOf(loadsOf(inputs, dataset));
    const rows = silver.rows[dataset];
    add(`${dataset}: source rows = bronze rows + dead letters`, load.source_rows, load.bronze + load.dead_letters);
    add(`${dataset}: bronze rows in the lake`, load.bronze, lake[dataset]?.bronze);
    add(`${dataset}: dead letters in the lake`, load.dead_letters, lake[dataset]?.dead_letters);
    const { bronze, repaired } = rowsOf(inputs, dataset);
    add(`${dataset}: repaired records in the lake`, repaired, lake[dataset]?.repaired);
    add(`${dataset}: bronze rows + repaired records = silver's rows in`, bronze + repaired, rows?.rows_in);
    add(`${dataset}: silver's rows in = rows out + dropped`, rows?.rows_in, outAndDropped(rows));
  }

  const { live } = inputs;
  add("live ratings: offsets read = bronze rows + dead letters", live.source_rows, live.bronze + live.dead_letters);
  add("live ratings: bronze rows in the lake", live.bronze, lakeLive.bronze);
  add("live ratings: dead letters in the lake", live.dead_letters, lakeLive.dead_letters);

  for (const [dataset, table] of Object.entries(factOfDataset)) {
    const fact = gold.rows[table];
    add(`${dataset}: silver's rows out = ${table}'s rows in`, silver.rows[dataset]?.rows_out, fact?.rows_in);
    add(`${table}: rows in = rows out + dropped`, fact?.rows_in, outAndDropped(fact));
  }
  for (const [from, to] of Object.entries(goldOfSilver)) {
    add(`${from} in silver = ${to} in gold`, silver.tables?.[from], gold.tables?.[to]);
  }
  add("gold prefix = the one in the warehouse", gold.prefix, warehouse.prefix);
  for (const [table, rows] of Object.entries(gold.tables ?? {})) {
    add(`${table}: gold rows = warehouse rows`, rows, warehouse.rows[table]?.rows_out);
  }

  add("dbt: gold prefix = the one its marts were built of", gold.prefix, dbt.prefix);
  checks.push({
    name: "dbt: tests passed",
    expected: "at least 1",
    actual: dbt.tests_passed,
    ok: dbt.tests_passed > 0,
  });
  for (const { name, status, message } of dbt.failures) {
    checks.push({ name: `dbt: ${name}`, expected: "pass", actual: `${status}: ${message}`, ok: false });
  }
  return checks;
}

/** The error for a run whose checks do not all hold. */
export function refusal(runId: string, published: string | null, failed: readonly Check[]): ServiceError {
  const lines = failed.map(({ name, expected, actual }) => {
    const difference =
      typeof expected === "number" && typeof actual === "number" ? ` (${signed(actual - expected)})` : "";
    return `  ${name}: expected ${expected ?? "a figure"}, got ${actual ?? "none"}${difference}`;
  });
  const stays = published === null ? "Nothing was published before." : `The answers of run ${published} stay.`;
  return new ServiceError(
    "gate_refused",
    `run ${runId} is not published, ${failed.length === 1 ? "one check does" : `${failed.length} checks do`} not hold:\n` +
      `${lines.join("\n")}\n${stays} The run's reports are in the lake below ${lakeKeys.run(runId)}`,
  );
}

const signed = (difference: number) => (difference > 0 ? `${difference} too many` : `${-difference} too few`);

function outAndDropped(rows: HopReport["rows"][string] | undefined): number | undefined {
  return rows && Object.values(rows.dropped).reduce((sum, dropped) => sum + dropped, rows.rows_out);
}
