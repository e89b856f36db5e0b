import type { ObjectStore } from "@boxoffice/platform/objectStore";
import fc from "fast-check";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyTuples } from "../src/copyBinary.ts";
import { copyTable } from "../src/copyTable.ts";
import { readHop } from "../src/hopReports.ts";
import { lakeBatches } from "../src/lakeBatches.ts";
import { migrate } from "../src/migrations.ts";
import { countRows, partitionOf, partitionState } from "../src/partitions.ts";
import { loadVersion } from "../src/version.ts";
import { inTransaction } from "../src/warehouse.ts";
import { migrationsDirectory, newDatabase, newLake, quietLog, rowsSeen, uniqueName } from "./engines.ts";
import {
  arrowTable,
  type Cell,
  type Column,
  goldColumns,
  madeColumns,
  parquetOf,
  putGold,
  smallGold,
} from "./goldTables.ts";

let lake: ObjectStore;
let pool: pg.Pool;
let drop: () => Promise<void>;
const job = () => ({ signal: new AbortController().signal, progress: () => {} });

beforeAll(async () => {
  lake = await newLake();
  ({ pool, drop } = await newDatabase());
  await migrate(pool, migrationsDirectory, quietLog);
});
afterAll(async () => {
  await drop();
  lake.close();
});

test("migrations are applied once, also by two loaders at once", async () => {
  const other = await newDatabase();
  await Promise.all([1, 2].map(() => migrate(other.pool, migrationsDirectory, quietLog)));
  const { rows } = await other.pool.query("select name from loader.migrations order by name");
  expect(rows.length).toBeGreaterThanOrEqual(3);
  await other.pool.query("update loader.migrations set sha256 = 'other'");
  await expect(migrate(other.pool, migrationsDirectory, quietLog)).rejects.toThrow("add a new file, never change one");
  await other.drop();
});

test("a version holds every row of every gold table, counted by the warehouse", async () => {
  const run = uniqueName("run");
  await putGold(lake, run);
  const loaded = await loadVersion(lake, pool, run, job());
  expect(loaded.tables).toEqual(smallGold);
  const report = await readHop(lake, run, "warehouse");
  expect(report?.rows.dim_movie).toEqual({ rows_in: 4, rows_out: 4, dropped: {} });
  for (const [table, rows] of Object.entries(smallGold)) {
    expect(await rowsSeen(pool, table, run), table).toBe(rows);
  }
});

test("the same version again is left as it is; another try of the run's gold replaces it", async () => {
  const run = uniqueName("run");
  await putGold(lake, run);
  await loadVersion(lake, pool, run, job());
  const oids = () =>
    pool.query("select relname, oid from pg_class where relname like $1 order by 1", [`%${partitionOf("", run).name}`]);
  const before = (await oids()).rows;
  expect(before).toHaveLength(Object.keys(goldColumns).length);
  await loadVersion(lake, pool, run, job());
  expect((await oids()).rows).toEqual(before);

  await putGold(lake, run, { ...smallGold, dim_genre: 9 }, {}, "try2");
  expect((await loadVersion(lake, pool, run, job())).tables.dim_genre).toBe(9);
  expect((await oids()).rows.map(({ oid }) => oid)).not.toEqual(before.map(({ oid }) => oid));
});

test("a load that is stopped halfway leaves nothing, and starts clean", async () => {
  const run = uniqueName("run");
  await putGold(lake, run);
  const stop = new AbortController();
  const stopped = loadVersion(lake, pool, run, {
    signal: stop.signal,
    progress: () => stop.abort(new Error("stopped")),
  });
  await expect(stopped).rejects.toThrow("stopped");
  const tables = (await loadVersion(lake, pool, run, job())).tables;
  expect(tables).toEqual(smallGold);
});

test("rows that do not agree with gold.json are an error that names the table and both counts", async () => {
  const run = uniqueName("run");
  await putGold(lake, run, smallGold, { tables: { ...smallGold, cpi_month: 99 } });
  await expect(loadVersion(lake, pool, run, job())).rejects.toThrow(
    `table cpi_month of run ${run} has ${smallGold.cpi_month} rows in gold/${run}/try1/cpi_month; gold.json says 99`,
  );
  expect(await partitionState(pool, partitionOf("cpi_month", run))).toBeUndefined();
});

test("two ratings of a movie by a user are an error that names them, and no version", async () => {
  const run = uniqueName("run");
  await putGold(lake, run);
  await lake.put(`gold/${run}/try1/fact_rating/part-1.parquet`, parquetOf(madeColumns("fact_rating", 5)));
  await expect(loadVersion(lake, pool, run, job())).rejects.toThrow(
    "gold has two rows of fact_rating with the same user_id and movie_id and until_place: Key (user_id, movie_id, until_place)=(1, 1, 32767) is duplicated.",
  );
  expect(await partitionState(pool, partitionOf("fact_rating", run))).toBeUndefined();
});

test("a new version neither waits for readers and writers of the others nor makes them wait", async () => {
  const run = uniqueName("run");
  await putGold(lake, run);
  const reader = await pool.connect();
  try {
    await reader.query("begin");
    await reader.query("select count(*) from gold.fact_rating");
    // ROW EXCLUSIVE conflicts with every lock above SHARE UPDATE EXCLUSIVE.
    await reader.query("lock table gold.fact_rating, gold.dim_movie in row exclusive mode");
    await loadVersion(lake, pool, run, job());
  } finally {
    reader.release(true);
  }
});

test("a run that is published is not loaded over", async () => {
  const run = uniqueName("run");
  await putGold(lake, run);
  await loadVersion(lake, pool, run, job());
  await pool.query(
    `begin; insert into mart_versions.run_summary (run_id, edition, inputs) values ('${run}', 'e', '{}'); update marts.current set run_id = '${run}'; commit`,
  );
  await putGold(lake, run, smallGold, {}, "try2");
  await expect(loadVersion(lake, pool, run, job())).rejects.toThrow("is published");
  expect(await countRows(pool, partitionOf("dim_genre", run))).toBe(smallGold.dim_genre);
});

test("a version that was published once is none that can be gone back to when it is loaded over", async () => {
  const run = uniqueName("run");
  await putGold(lake, run);
  await loadVersion(lake, pool, run, job());
  await pool.query("insert into mart_versions.run_summary (run_id, edition, inputs) values ($1, 'e', '{}')", [run]);
  await loadVersion(lake, pool, run, job());
  const summaries = async () =>
    (await pool.query("select from mart_versions.run_summary where run_id = $1", [run])).rowCount;
  expect(await summaries()).toBe(1);
  await putGold(lake, run, smallGold, {}, "try2");
  await loadVersion(lake, pool, run, job());
  expect(await summaries()).toBe(0);
  await expect(pool.query("update marts.current set run_id = $1", [run])).rejects.toThrow("current_run_id_fkey");
});

const nullable = <T extends Cell>(cell: fc.Arbitrary<T>) => fc.option(cell, { freq: 4 });
const digits = (count: number) => fc.bigInt({ min: -(10n ** BigInt(count)) + 1n, max: 10n ** BigInt(count) - 1n });
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.constantFrom("\\", "\\N", "\n", "\r", "\t", '"', "'", "\\.", ","),
    ),
  )
  .map((parts) => parts.join("").replaceAll("\0", ""));
const row = fc.record({
  i: nullable(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  b: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  f: nullable(fc.double()),
  s: nullable(text),
  t: nullable(fc.boolean()),
  d: nullable(fc.integer({ min: -719_162, max: 2_932_896 })),
  at: nullable(fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n })),
  small: nullable(digits(2)),
  large: nullable(digits(30)),
});
const types = {
  i: "int",
  b: "bigint",
  f: "double",
  s: "string",
  t: "boolean",
  d: "date",
  at: "timestamp",
  small: "decimal(2;1)",
  large: "decimal(30;8)",
} as const;

test("every type comes back from COPY as it went in: nulls, quotes, backslashes, line ends, days before 1970, each decimal", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
      const columns = Object.entries(types).map(
        ([name, type]): Column => ({ name, type, cells: rows.map((cells) => cells[name as keyof typeof types]) }),
      );
      const found = await inTransaction(pool, async (client) => {
        await client.query(
          `create temporary table every_type (
             i int, b bigint, f double precision, s text, t boolean, d date, at timestamp, small decimal(2, 1), large decimal(30, 8)
           ) on commit drop`,
        );
        await copyTable(client, tuples(columns), {
          into: "every_type",
          columns: Object.keys(types),
          signal: new AbortController().signal,
          onRows: () => {},
        });
        const answer = await client.query(
          `select i, b::text, f, s, t, d - date '1970-01-01' as d,
                  (extract(epoch from at) * 1000000)::bigint::text as at,
                  (small * 10)::bigint::text as small, (large * 100000000)::decimal(30, 0)::text as large
           from every_type`,
        );
        return answer.rows;
      });
      const asText = (value: bigint | null) => (value === null ? null : String(value));
      expect(found).toEqual(
        rows.map((cells) => ({
          ...cells,
          b: asText(cells.b),
          at: asText(cells.at),
          small: asText(cells.small),
          large: asText(cells.large),
        })),
      );
    }),
    { numRuns: 60 },
  );
});

async function* tuples(columns: readonly Column[]) {
  yield copyTuples(arrowTable(columns));
}

test("gold is read object by object, some thousands of rows at a time", async () => {
  const run = uniqueName("run");
  await putGold(lake, run, { dim_genre: 40_000 });
  const sizes: number[] = [];
  for await (const batch of lakeBatches(lake, `gold/${run}/try1/dim_genre`)) sizes.push(batch.numRows);
  expect(sizes.reduce((a, b) => a + b)).toBe(40_000);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(8_192);
});
