import { type DatasetName, datasetNames } from "@boxoffice/contracts/dataset";
import { deadLetterId } from "@boxoffice/contracts/deadLetter";
import type { DeadLetterDecision } from "@boxoffice/contracts/deadLetterDecision";
import type { DbtReport, HopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { type LiveInput, noLiveInput, type RunInputs } from "@boxoffice/contracts/runInputs";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { writeHop } from "@boxoffice/platform/writeHop";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { appendDecision } from "../src/decisions.ts";
import { fixFixes } from "../src/fixesInput.ts";
import { readHop } from "../src/hopReports.ts";
import { writeLiveDeadLetter, writeLiveObject } from "../src/liveBronze.ts";
import { migrate } from "../src/migrations.ts";
import { allPartitions, dropPartition, partitionOf } from "../src/partitions.ts";
import { publish } from "../src/publish.ts";
import { keptRuns, oldRuns, sweepVersions } from "../src/sweep.ts";
import { loadVersion } from "../src/version.ts";
import { inTransaction, publishedRun, whileNonePublishes } from "../src/warehouse.ts";
import { cuttablePool, migrationsDirectory, newDatabase, newLake, quietLog, uniqueName, until } from "./engines.ts";
import { bridgeOf, parquetOfRatings, putGold, type Rating, smallGold, sumsOfRatings } from "./goldTables.ts";

// Some publish again and again, also where others keep the machine busy.
vi.setConfig({ testTimeout: 400_000 });

let lake: ObjectStore;
let pool: pg.Pool;
let drop: () => Promise<void>;

beforeAll(async () => {
  lake = await newLake();
  ({ pool, drop } = await newDatabase());
  await migrate(pool, migrationsDirectory, quietLog);
});
beforeEach(async () => {
  await pool.query("update marts.current set run_id = null");
});
afterAll(async () => {
  await drop();
  lake.close();
});

const bronzeRows = 100;
const ratingsIn = (smallGold.fact_rating ?? 0) + 2;
const silverRows: Record<DatasetName, number> = {
  movies: smallGold.dim_movie ?? 0,
  links: (smallGold.bridge_movielens_movie ?? 0) + 1,
  ratings: ratingsIn,
  cpi: 100,
};

const silverOf = (run_id: string) => ({
  hop: "silver",
  run_id,
  prefix: `silver/${run_id}/try1`,
  tables: {
    movie: smallGold.dim_movie ?? 0,
    genre: smallGold.dim_genre ?? 0,
    movie_genre: smallGold.bridge_movie_genre ?? 0,
    cpi_month: smallGold.cpi_month ?? 0,
  },
  rows: Object.fromEntries(
    datasetNames.map((dataset) => [
      dataset,
      { rows_in: bronzeRows, rows_out: silverRows[dataset], dropped: { duplicate: bronzeRows - silverRows[dataset] } },
    ]),
  ),
});

const dbtOf = (run_id: string): DbtReport => ({
  hop: "dbt",
  run_id,
  started_at: new Date().toISOString(),
  seconds: 1,
  prefix: `gold/${run_id}/try1`,
  models: 6,
  tests_passed: 20,
  failures: [],
});

/** A row of the run in every table that dbt fills. */
async function putMarts(run: string): Promise<void> {
  const { rows } = await pool.query<{ name: string; columns: string; cells: string }>(
    `select c.relname as name,
            string_agg(a.attname, ', ') as columns,
            string_agg(case a.attname when 'source' then quote_literal('tmdb') when 'period_type' then quote_literal('month') else quote_literal('1') end, ', ') as cells
     from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and a.attname <> 'run_id'
     where c.relnamespace = 'mart_versions'::regnamespace and c.relkind = 'r' and c.relname not like 'run%' and c.relname <> 'shared_facts'
     group by c.relname`,
  );
  for (const { name, columns, cells } of rows) {
    await pool.query(`insert into mart_versions.${name} (run_id, ${columns}) values ('${run}', ${cells})`);
  }
}

const putDbt = (report: DbtReport) => lake.put(lakeKeys.hop(report.run_id, "dbt"), JSON.stringify(report));
const putSilver = (report: Omit<HopReport, "started_at" | "seconds">) => writeHop(lake, Date.now(), report);

/** A run with every hop done and every sum right; `landed` is the day in November its sources came. */
async function finishedRun(
  landed = 1,
  sha256 = uniqueName("sha256"),
  putGoldOf = (run: string) => putGold(lake, run),
): Promise<{ run: string; inputs: RunInputs }> {
  const run = uniqueName("run");
  const load = async (dataset: DatasetName) => {
    const load_id = uniqueName("load");
    await lake.put(lakeKeys.group(dataset, load_id, 0, 60), "rows");
    await lake.put(lakeKeys.group(dataset, load_id, 1, bronzeRows - 60), "rows");
    await lake.put(lakeKeys.deadLetterSlice(dataset, load_id, 0), "{}\n{}\n{}\n");
    return {
      load_id,
      file: `${dataset}.csv`,
      landed_at: `2026-11-${String(landed).padStart(2, "0")}T00:00:00.000Z`,
      sha256,
      source_rows: bronzeRows + 3,
      dead_letters: 3,
      bronze: bronzeRows,
      prefix: lakeKeys.bronze(dataset, load_id),
    };
  };
  const inputs: RunInputs = {
    run_id: run,
    edition: "test",
    fixed_at: new Date().toISOString(),
    published_run: null,
    loads: {
      movies: await load("movies"),
      links: await load("links"),
      ratings: await load("ratings"),
      cpi: await load("cpi"),
    },
    appended: {},
    live: noLiveInput,
    fixes: {},
    notes: [],
  };
  await lake.put(lakeKeys.hop(run, "inputs"), JSON.stringify(inputs));
  await putSilver(silverOf(run));
  await putGoldOf(run);
  await loadVersion(lake, pool, run, { signal: new AbortController().signal, progress: () => {} });
  await putMarts(run);
  await putDbt(dbtOf(run));
  return { run, inputs };
}

/** The refusal's message, after seeing that what was published stayed. */
async function refused(run: string): Promise<string> {
  const before = await publishedRun(pool);
  const error: unknown = await publish(lake, pool, { run_id: run }, quietLog).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(await publishedRun(pool)).toBe(before);
  expect(error).toMatchObject({ code: "gate_refused" });
  return error instanceof Error ? error.message : "";
}

test("a run whose sums agree becomes the one readers see, with its counts; again is a no-op", async () => {
  const { run } = await finishedRun();
  expect(await publish(lake, pool, { run_id: run }, quietLog)).toEqual({ run_id: run, previous_run_id: null });
  const { rows } = await pool.query(
    "select dataset, source_rows::int, dead_letters::int, bronze::int, silver::int, dropped from marts.run_counts order by 1",
  );
  expect(rows[3]).toEqual({
    dataset: "ratings",
    source_rows: 103,
    dead_letters: 3,
    bronze: 100,
    silver: ratingsIn,
    dropped: JSON.stringify({ duplicate: 100 - ratingsIn }),
  });
  expect((await pool.query("select run_id, edition from marts.run_summary")).rows).toEqual([
    { run_id: run, edition: "test" },
  ]);
  expect(await readHop(lake, run, "publish")).toMatchObject({ rows: { cpi: { rows_in: 103, rows_out: 100 } } });
  expect(await publish(lake, pool, { run_id: run }, quietLog)).toEqual({ run_id: run, previous_run_id: run });
});

test("a publication whose report was lost, or still says that it was refused, is reported when it is asked for again", async () => {
  const { run } = await finishedRun();
  await publish(lake, pool, { run_id: run }, quietLog);
  const key = lakeKeys.hop(run, "publish");
  const report = async () => JSON.parse(Buffer.from((await lake.bytes(key)) ?? []).toString());
  const written = await report();
  expect(written).toMatchObject({ published: true, previous_run_id: null });
  await publish(lake, pool, { run_id: run }, quietLog);
  expect(await report()).toEqual(written);

  await lake.delete([key]);
  await publish(lake, pool, { run_id: run }, quietLog);
  const { rows, checks } = written;
  expect(await report()).toMatchObject({ published: true, run_id: run, rows, checks });

  await lake.put(key, JSON.stringify({ ...written, published: false, checks: [] }));
  await publish(lake, pool, { run_id: run }, quietLog);
  expect(await report()).toMatchObject({ published: true, checks });
});

test("a lake that takes no report keeps no run from being published or refused; the next call reports it", async () => {
  const { run } = await finishedRun();
  const full = vi.spyOn(lake, "put").mockRejectedValue(new Error("no space left"));
  try {
    await pool.query("update mart_versions.popular_genres set run_id = 'aside' where run_id = $1", [run]);
    expect(await refused(run)).toContain("mart popular_genres: rows of the run: expected some, got none");
    await pool.query("update mart_versions.popular_genres set run_id = $1 where run_id = 'aside'", [run]);
    expect(await publish(lake, pool, { run_id: run }, quietLog)).toEqual({ run_id: run, previous_run_id: null });
    expect(await publishedRun(pool)).toBe(run);
    expect(await publish(lake, pool, { run_id: run }, quietLog)).toEqual({ run_id: run, previous_run_id: run });
  } finally {
    full.mockRestore();
  }
  expect(await readHop(lake, run, "publish")).toBeUndefined();
  await publish(lake, pool, { run_id: run }, quietLog);
  expect(await readHop(lake, run, "publish")).toMatchObject({ hop: "publish", rows: { cpi: { rows_in: 103 } } });
});

test.each([
  ["before it is asked to commit", { after: "question", text: "commit" }, false],
  ["when it has committed and its answer is lost", { after: "answer", text: "commit" }, true],
] as const)(
  "a warehouse that is lost %s: one whole version is published, and the same again publishes the run",
  async (_when, cut, isPublished) => {
    const [before, { run }] = [await finishedRun(1), await finishedRun(2)];
    await publish(lake, pool, { run_id: before.run }, quietLog);
    const { proxy, pool: cuttable, close } = await cuttablePool(pool);
    try {
      expect(await publishedRun(cuttable)).toBe(before.run);
      proxy.cutOnce(cut);
      await expect(publish(lake, cuttable, { run_id: run }, quietLog)).rejects.toThrow("Connection terminated");
      expect(proxy.cuts).toBe(1);
      const { rows } = await pool.query(
        "select (select run_id from marts.current), (select count(*)::int as datasets from marts.run_counts)",
      );
      expect(rows).toEqual([{ run_id: isPublished ? run : before.run, datasets: 4 }]);
      const again = { run_id: run, previous_run_id: isPublished ? run : before.run };
      expect(await publish(lake, cuttable, { run_id: run }, quietLog)).toEqual(again);
    } finally {
      await close();
    }
    expect(await publishedRun(pool)).toBe(run);
    expect(await readHop(lake, run, "publish")).toMatchObject({ run_id: run, rows: { cpi: { rows_in: 103 } } });
  },
);

test("each sum that does not hold is named with what was expected, what came and the difference", async () => {
  const published = await finishedRun();
  await publish(lake, pool, { run_id: published.run }, quietLog);
  const { run, inputs } = await finishedRun();

  const { ratings } = inputs.loads;
  const extra = lakeKeys.group("ratings", ratings.load_id, 2, 5);
  await lake.put(extra, "rows");
  expect(await refused(run)).toContain("ratings: bronze rows in the lake: expected 100, got 105 (5 too many)");
  await lake.delete([extra]);

  const letters = lakeKeys.deadLetterSlice("ratings", ratings.load_id, 0);
  await lake.put(letters, "{}\n{}\n");
  expect(await refused(run)).toContain("ratings: dead letters in the lake: expected 3, got 2 (1 too few)");
  await lake.put(letters, "{}\n{}\n{}\n");

  const wrongInputs = { ...inputs, loads: { ...inputs.loads, links: { ...inputs.loads.links, source_rows: 200 } } };
  await lake.put(lakeKeys.hop(run, "inputs"), JSON.stringify(wrongInputs));
  expect(await refused(run)).toContain(
    "links: source rows = bronze rows + dead letters: expected 200, got 103 (97 too few)",
  );
  await lake.put(lakeKeys.hop(run, "inputs"), JSON.stringify(inputs));

  const silver = silverOf(run);
  const silverWith = (dataset: DatasetName, rows: HopReport["rows"][string]) =>
    putSilver({ ...silver, rows: { ...silver.rows, [dataset]: rows } });
  await silverWith("cpi", { rows_in: 99, rows_out: 99, dropped: {} });
  expect(await refused(run)).toContain(
    "cpi: bronze rows + repaired records = silver's rows in: expected 100, got 99 (1 too few)",
  );
  await silverWith("cpi", { rows_in: 100, rows_out: 98, dropped: { duplicate_month: 1 } });
  expect(await refused(run)).toContain("cpi: silver's rows in = rows out + dropped: expected 100, got 99 (1 too few)");
  await silverWith("movies", { rows_in: 100, rows_out: 7, dropped: { duplicate_id: 93 } });
  expect(await refused(run)).toContain("silver's rows out = fact_box_office's rows in: expected 7, got 4 (3 too few)");
  await silverWith("ratings", { rows_in: 100, rows_out: 100, dropped: {} });
  expect(await refused(run)).toContain(`silver's rows out = fact_rating's rows in: expected 100, got ${ratingsIn}`);
  await silverWith("links", { rows_in: 100, rows_out: 50, dropped: { duplicate_movie_id: 50 } });
  expect(await refused(run)).toContain("links: silver's rows out = bridge_movielens_movie's rows in: expected 50, got");
  const fewerIn = { movie: "dim_movie", genre: "dim_genre", movie_genre: "bridge_movie_genre", cpi_month: "cpi_month" };
  for (const [table, inGold] of Object.entries(fewerIn)) {
    await putSilver({ ...silver, tables: { ...silver.tables, [table]: 1 } });
    expect(await refused(run)).toContain(`${table} in silver = ${inGold} in gold: expected 1, got`);
  }
  await putSilver(silver);

  const gold = await readHop(lake, run, "gold");
  if (!gold) throw new Error("no gold report");
  const lost = { rows_in: smallGold.dim_movie ?? 0, rows_out: 3, dropped: {} };
  await writeHop(lake, Date.now(), { ...gold, rows: { ...gold.rows, fact_box_office: lost } });
  expect(await refused(run)).toContain("fact_box_office: rows in = rows out + dropped: expected 4, got 3 (1 too few)");
  const unread = { rows_in: ratingsIn - 2, rows_out: ratingsIn - 2, dropped: {} };
  await writeHop(lake, Date.now(), { ...gold, rows: { ...gold.rows, fact_rating: unread } });
  expect(await refused(run)).toContain(
    `ratings: silver's rows out = fact_rating's rows in: expected ${ratingsIn}, got ${ratingsIn - 2} (2 too few)`,
  );
  await writeHop(lake, Date.now(), gold);

  const warehouse = await readHop(lake, run, "warehouse");
  if (!warehouse) throw new Error("no warehouse report");
  const fewer = { ...warehouse.rows, dim_date: { rows_in: 7, rows_out: 6, dropped: {} } };
  await writeHop(lake, Date.now(), { ...warehouse, rows: fewer });
  expect(await refused(run)).toContain("dim_date: gold rows = warehouse rows: expected 7, got 6 (1 too few)");
  await writeHop(lake, Date.now(), { ...warehouse, prefix: "gold/other/try" });
  expect(await refused(run)).toContain("gold prefix = the one in the warehouse");
  await writeHop(lake, Date.now(), warehouse);

  const failures = [{ name: "unique_rank", status: "fail", message: "Got 2 results, configured to fail if != 0" }];
  await putDbt({ ...dbtOf(run), failures });
  const message = await refused(run);
  expect(message).toContain("dbt: unique_rank: expected pass, got fail: Got 2 results");
  expect(message).toContain(
    `The answers of run ${published.run} stay. The run's reports are in the lake below _runs/${run}/`,
  );
  await putDbt({ ...dbtOf(run), prefix: "gold/other/try" });
  expect(await refused(run)).toContain("dbt: gold prefix = the one its marts were built of");
  await putDbt({ ...dbtOf(run), tests_passed: 0 });
  expect(await refused(run)).toContain("dbt: tests passed: expected at least 1, got 0");
  await lake.delete([lakeKeys.hop(run, "dbt")]);
  await expect(publish(lake, pool, { run_id: run }, quietLog)).rejects.toMatchObject({ code: "missing_report" });
  await putDbt(dbtOf(run));

  expect(await publish(lake, pool, { run_id: run }, quietLog)).toEqual({ run_id: run, previous_run_id: published.run });
});

test("a record that was repaired counts beside its dead letter in every sum, and in the counts that are published", async () => {
  const { run, inputs } = await finishedRun();
  const { load_id } = inputs.loads.movies;
  const id = deadLetterId("movies", load_id, 7);
  const decision: DeadLetterDecision = {
    ...{ id, dataset: "movies", source: load_id, row_number: 7, state: "fixed", at: new Date().toISOString() },
    record: { id: 862, title: "mended" },
  };
  expect(await appendDecision(lake, [], decision)).toBe(true);
  expect(await appendDecision(lake, [], decision)).toBe(false);
  const fixes = await fixFixes(lake, inputs);
  expect(fixes).toEqual({ movies: [expect.objectContaining({ decisions: 1, repaired: 1 })] });
  await lake.put(lakeKeys.hop(run, "inputs"), JSON.stringify({ ...inputs, fixes }));
  expect(await refused(run)).toContain(
    "movies: bronze rows + repaired records = silver's rows in: expected 101, got 100 (1 too few)",
  );
  const silver = silverOf(run);
  const movies = { rows_in: 101, rows_out: silverRows.movies, dropped: { duplicate_id: 101 - silverRows.movies } };
  await putSilver({ ...silver, rows: { ...silver.rows, movies } });
  const wrong = { movies: fixes.movies?.map((one) => ({ ...one, repaired: 2 })) };
  await lake.put(lakeKeys.hop(run, "inputs"), JSON.stringify({ ...inputs, fixes: wrong }));
  expect(await refused(run)).toContain("movies: repaired records in the lake: expected 2, got 1 (1 too few)");

  await lake.put(lakeKeys.hop(run, "inputs"), JSON.stringify({ ...inputs, fixes }));
  await publish(lake, pool, { run_id: run }, quietLog);
  const { rows } = await pool.query("select dataset, repaired::int from marts.run_counts where repaired > 0");
  expect(rows).toEqual([{ dataset: "movies", repaired: 1 }]);
  const report = await readHop(lake, run, "publish");
  expect(report?.rows.movies).toEqual({
    rows_in: 104,
    rows_out: silverRows.movies,
    dropped: { dead_letters: 3, duplicate_id: 101 - silverRows.movies },
  });
});

test("what was appended is part of every sum, and of the counts that are published", async () => {
  const { run, inputs } = await finishedRun();
  const appended = { ratings: [(await finishedRun()).inputs.loads.ratings] };
  await lake.put(lakeKeys.hop(run, "inputs"), JSON.stringify({ ...inputs, appended }));
  expect(await refused(run)).toContain(
    "ratings: bronze rows + repaired records = silver's rows in: expected 200, got 100 (100 too few)",
  );
  const silver = silverOf(run);
  const ratings = { rows_in: 200, rows_out: ratingsIn, dropped: { duplicate_rating: 200 - ratingsIn } };
  await putSilver({ ...silver, rows: { ...silver.rows, ratings } });
  const [lost] = appended.ratings.map(({ load_id }) => lakeKeys.deadLetterSlice("ratings", load_id, 0));
  await lake.put(lost ?? "", "{}\n");
  expect(await refused(run)).toContain("ratings: dead letters in the lake: expected 6, got 4 (2 too few)");
  await lake.put(lost ?? "", "{}\n{}\n{}\n");
  await publish(lake, pool, { run_id: run }, quietLog);
  const { rows } = await pool.query(
    "select source_rows::int, dead_letters::int, bronze::int from marts.run_counts where dataset = 'ratings'",
  );
  expect(rows).toEqual([{ source_rows: 206, dead_letters: 6, bronze: 200 }]);
});

test("live ratings are part of the sums, and the run that is published says up to where it has read them", async () => {
  const { run, inputs } = await finishedRun();
  const row = (offset: number) => ({ offset, user_id: 1, movie_id: offset + 1, rating: 3, timestamp: 100 });
  await writeLiveObject(lake, 1, 0, [row(0), row(1), row(3)]);
  await writeLiveObject(lake, 1, 4, [row(4)]);
  await writeLiveDeadLetter(lake, { partition: 1, offset: 2, reason: "not JSON", raw: "{" });
  const live = { ...noLiveInput, offsets: [0, 4, 0, 0], source_rows: 4, dead_letters: 1, bronze: 3 };
  const put = (wrong: Partial<LiveInput> = {}) =>
    lake.put(lakeKeys.hop(run, "inputs"), JSON.stringify({ ...inputs, live: { ...live, ...wrong } }));
  const silver = silverOf(run);
  const ratings = { rows_in: bronzeRows + 3, rows_out: ratingsIn, dropped: { duplicate: bronzeRows + 3 - ratingsIn } };

  await put();
  expect(await refused(run)).toContain(
    "ratings: bronze rows + repaired records = silver's rows in: expected 103, got 100 (3 too few)",
  );
  await putSilver({ ...silver, rows: { ...silver.rows, ratings } });
  await put({ source_rows: 5 });
  expect(await refused(run)).toContain(
    "live ratings: offsets read = bronze rows + dead letters: expected 5, got 4 (1 too few)",
  );
  await put({ bronze: 4, dead_letters: 0 });
  const message = await refused(run);
  expect(message).toContain("live ratings: bronze rows in the lake: expected 4, got 3 (1 too few)");
  expect(message).toContain("live ratings: dead letters in the lake: expected 0, got 1 (1 too many)");

  await put();
  await publish(lake, pool, { run_id: run }, quietLog);
  const watermark =
    "select kafka_partition, kafka_offset::int from mart_versions.live_watermark where run_id = $1 order by 1";
  expect((await pool.query(watermark, [run])).rows.map(({ kafka_offset }) => kafka_offset)).toEqual([0, 4, 0, 0]);
  const counts =
    "select source_rows::int, dead_letters::int, bronze::int from marts.run_counts where dataset = 'ratings'";
  expect((await pool.query(counts)).rows).toEqual([{ source_rows: 107, dead_letters: 4, bronze: 103 }]);
});

test("a version that has gone from the warehouse since its reports were written is refused until it is there again", async () => {
  const published = await finishedRun();
  await publish(lake, pool, { run_id: published.run }, quietLog);
  const { run } = await finishedRun();
  const context = { signal: new AbortController().signal, progress: () => {} };

  await dropPartition(pool, partitionOf("dim_date", run));
  const message = await refused(run);
  expect(message).toContain("dim_date: partition in the warehouse: expected attached, got none");
  expect(message).toContain(
    `dim_date: rows loaded = rows in the warehouse now: expected ${smallGold.dim_date}, got none`,
  );
  const report = Buffer.from((await lake.bytes(lakeKeys.hop(run, "publish"))) ?? []).toString();
  expect(JSON.parse(report)).toMatchObject({ published: false });
  await loadVersion(lake, pool, run, context);

  const { quoted } = partitionOf("cpi_month", run);
  await pool.query(`delete from ${quoted} where ctid = (select ctid from ${quoted} limit 1)`);
  expect(await refused(run)).toContain("cpi_month: rows loaded = rows in the warehouse now");
  const otherTry = JSON.stringify({ run_id: run, prefix: "gold/other/try", loaded_at: new Date().toISOString() });
  await pool.query(`comment on table ${quoted} is '${otherTry}'`);
  expect(await refused(run)).toContain("cpi_month: gold prefix = the partition's");
  await loadVersion(lake, pool, run, context);

  await pool.query("delete from mart_versions.popular_genres where run_id = $1", [run]);
  expect(await refused(run)).toContain("mart popular_genres: rows of the run: expected some, got none");
  await pool.query("delete from mart_versions.release_timing_test where run_id = $1", [run]);
  expect(await refused(run)).toContain("2 checks do not hold");
});

test("a publication waits for a sweep, and then looks at what the sweep has left", async () => {
  const { run } = await finishedRun();
  const publication = await whileNonePublishes(pool, async () => {
    const waiting = publish(lake, pool, { run_id: run }, quietLog);
    waiting.catch(() => {});
    await until("the publication waits for the lock", async () => {
      const locks =
        "select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())";
      return (await pool.query(locks)).rowCount === 1;
    });
    await pool.query("delete from mart_versions.popular_genres where run_id = $1", [run]);
    return [waiting];
  });
  await expect(publication[0]).rejects.toMatchObject({ code: "gate_refused" });
  expect(await publishedRun(pool)).toBeNull();
});

test("an older edition does not take the place of a newer one unless it is allowed", async () => {
  const [newer, older] = [await finishedRun(9), await finishedRun(8)];
  await publish(lake, pool, { run_id: newer.run }, quietLog);
  await expect(publish(lake, pool, { run_id: older.run }, quietLog)).rejects.toMatchObject({ code: "older_edition" });
  expect(await publishedRun(pool)).toBe(newer.run);
  await publish(lake, pool, { run_id: older.run, allow_older: true }, quietLog);
  expect(await publishedRun(pool)).toBe(older.run);
});

test("the bytes that are published are no older edition, whichever of their loads a run reads", async () => {
  const [again, first] = [await finishedRun(9, "same"), await finishedRun(8, "same")];
  await publish(lake, pool, { run_id: again.run }, quietLog);
  await publish(lake, pool, { run_id: first.run }, quietLog);
  expect(await publishedRun(pool)).toBe(first.run);
});

test("a run that loses the race looks again, and does not pass over a newer edition", async () => {
  const [older, newer, same] = [await finishedRun(5), await finishedRun(6), await finishedRun(6)];
  /** Publishes a run while another transaction, which publishes first, holds the row. */
  const race = async (first: string, second: string) => {
    const publications = await inTransaction(pool, async (client) => {
      await client.query("update marts.current set run_id = $1", [first]);
      await client.query(
        "insert into mart_versions.run_summary (run_id, edition, inputs) values ($1, 'e', '{}') on conflict do nothing",
        [first],
      );
      const publication = publish(lake, pool, { run_id: second }, quietLog);
      publication.catch(() => {});
      await until("the publication waits for the row", async () => {
        const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        return (await pool.query(waiting)).rowCount === 1;
      });
      return [publication];
    });
    return publications[0];
  };
  await expect(race(newer.run, older.run)).rejects.toMatchObject({ code: "older_edition" });
  expect(await publishedRun(pool)).toBe(newer.run);
  await pool.query("update marts.current set run_id = null");
  expect(await race(newer.run, same.run)).toEqual({ run_id: same.run, previous_run_id: newer.run });
});

test("readers see whole versions only, through a hundred publications and rollbacks, loads and sweeps", async () => {
  const others = new Set<string>();
  const otherRun = async () => {
    const { run } = await finishedRun(3);
    others.add(run);
    await pool.query("update mart_versions.popular_genres set ratings = 2 where run_id = $1", [run]);
    await pool.query("update gold.dim_genre set name = 'other' where run_id = $1", [run]);
    return run;
  };
  let [one, other] = [(await finishedRun(3)).run, await otherRun()];
  await publish(lake, pool, { run_id: one }, quietLog);

  /** One statement over a mart, a dimension and the row that names the version. */
  const joined = `select distinct (select run_id from marts.current) as run_id, marts.popular_genres.ratings::int,
                         marts.dim_genre.name = 'other' as is_other
                  from marts.popular_genres, marts.dim_genre`;
  const versionOf = (rows: { run_id: string; ratings: number; is_other: boolean }[]) => {
    expect(rows).toHaveLength(1);
    const [{ run_id, ...values } = { run_id: "" }] = rows;
    expect(values).toEqual(others.has(run_id) ? { ratings: 2, is_other: true } : { ratings: 1, is_other: false });
    return run_id;
  };
  let isOver = false;
  let reads = 0;
  const read = async (isolation: string) => {
    const client = await pool.connect();
    try {
      while (!isOver) {
        await client.query(`begin isolation level ${isolation}`);
        const first = versionOf((await client.query(joined)).rows);
        const ratings = await client.query("select count(*)::int as ratings from marts.fact_rating");
        const again = versionOf((await client.query(joined)).rows);
        await client.query("commit");
        expect(ratings.rows[0]).toEqual({ ratings: smallGold.fact_rating });
        if (isolation === "repeatable read") expect(again).toBe(first);
        reads++;
      }
    } finally {
      client.release();
    }
  };
  const readers = Promise.all(["repeatable read", "read committed"].map(read));
  readers.catch(() => {});
  const before = { one, other };
  for (let round = 0; round < 50; round++) {
    await publish(lake, pool, { run_id: other, allow_older: true }, quietLog);
    if (round % 2 === 0) await pool.query("update marts.current set run_id = $1", [one]);
    else await publish(lake, pool, { run_id: one, allow_older: true }, quietLog);
    if (round % 10 !== 9) continue;
    // Both are replaced, and what was published before goes, under the readers' feet.
    [one, other] = [(await finishedRun(3)).run, await otherRun()];
    await publish(lake, pool, { run_id: other }, quietLog);
    await publish(lake, pool, { run_id: one, allow_older: true }, quietLog);
    await sweepVersions(pool, 2, quietLog);
  }
  const kept = await keptRuns(pool);
  expect([before.one, before.other].filter((run) => kept.has(run))).toEqual([]);
  isOver = true;
  await readers;
  expect(reads).toBeGreaterThan(50);
});

test("of the published versions the newest are kept, and a run that is under way is left alone", async () => {
  const runs: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    const { run } = await finishedRun(20);
    await publish(lake, pool, { run_id: run }, quietLog);
    runs.push(run);
  }
  const underWay = uniqueName("under-way");
  await putGold(lake, underWay);
  await loadVersion(lake, pool, underWay, { signal: new AbortController().signal, progress: () => {} });

  await sweepVersions(pool, 2, quietLog);
  const left = new Set((await allPartitions(pool)).map(({ state }) => state.comment?.run_id));
  expect([...left].sort()).toEqual([runs[1], runs[2], underWay].sort());
  expect([...(await keptRuns(pool))].sort()).toEqual([runs[1], runs[2], underWay].sort());
  const { rows } = await pool.query("select run_id from mart_versions.run_summary");
  expect(rows.map(({ run_id }) => run_id).sort()).toEqual([runs[1], runs[2]].sort());
  expect(await publishedRun(pool)).toBe(runs[2]);
});

test("a version stays while a transaction that began before the next one may read it", async () => {
  const before = await finishedRun(3);
  await publish(lake, pool, { run_id: before.run }, quietLog);
  const reader = await pool.connect();
  try {
    await reader.query("begin isolation level repeatable read");
    await reader.query("select run_id from marts.current");
    const { run } = await finishedRun(3);
    await publish(lake, pool, { run_id: run }, quietLog);

    await sweepVersions(pool, 1, quietLog, { milliseconds: 300, pollMilliseconds: 50 });
    const { rows } = await reader.query(
      "select run_id, (select count(*)::int from marts.fact_rating) from marts.current",
    );
    expect(rows).toEqual([{ run_id: before.run, count: smallGold.fact_rating }]);
    await reader.query("commit");

    await sweepVersions(pool, 1, quietLog);
    expect([...(await keptRuns(pool))]).toEqual([run]);
  } finally {
    reader.release();
  }
});

test("the current version is never swept, however old it is", () => {
  const loaded = new Map([
    ["a", "1"],
    ["b", "2"],
    ["c", "3"],
    ["failed", "0"],
    ["new", "4"],
  ]);
  const published = new Set(["a", "b", "c"]);
  expect(oldRuns(loaded, published, "c", 2)).toEqual(["a", "failed"]);
  expect(oldRuns(loaded, published, "a", 2)).toEqual(["failed"]);
  expect(oldRuns(loaded, published, null, 1)).toEqual([]);
});

/** A run whose ratings are in these parts. */
interface SharingRun {
  run: string;
  added: string[];
  replaced: string[];
  ratings: Rating[];
}

/** A finished run whose ratings are these; one that goes on from another adds some to it, in place of others. */
async function sharingRun(added: Rating[], replaced: Rating[] = [], before?: SharingRun): Promise<SharingRun> {
  const ratings = [...(before?.ratings.filter((rating) => !replaced.includes(rating)) ?? []), ...added];
  const sums = sumsOfRatings(ratings);
  const parts = { added: [...(before?.added ?? [])], replaced: [...(before?.replaced ?? [])] };
  const { run } = await finishedRun(3, undefined, async (run) => {
    const put = async (table: string, parquet: Uint8Array) => {
      await lake.put(`gold/${run}/try1/${table}/part-0.parquet`, parquet);
      return `gold/${run}/try1/${table}`;
    };
    parts.added.push(await put("added", parquetOfRatings(added)));
    if (before) parts.replaced.push(await put("replaced", parquetOfRatings(replaced, false)));
    const agg_movie_rating = { added: [await put("sums", sums.parquet)], replaced: [] };
    const rows = { ...smallGold, fact_rating: ratings.length, agg_movie_rating: sums.rows };
    const bridge_movielens_movie = bridgeOf(parts);
    await putGold(lake, run, rows, { parts: { fact_rating: parts, agg_movie_rating, bridge_movielens_movie } });
  });
  const silver = silverOf(run);
  const rows_out = ratings.length + 2;
  const ofRatings = { rows_in: bronzeRows, rows_out, dropped: { duplicate: bronzeRows - rows_out } };
  await putSilver({ ...silver, rows: { ...silver.rows, ratings: ofRatings } });
  return { run, ...parts, ratings };
}

/** In SQL over ratings, and of a run, what tells its ratings from any other's. */
const figures = "count(*)::int as ratings, sum(user_id)::int as users, sum(rating * 2)::int as halves";
const figuresOf = ({ ratings }: SharingRun) => ({
  ratings: ratings.length,
  users: ratings.reduce((sum, [user]) => sum + user, 0),
  halves: ratings.reduce((sum, [, , half]) => sum + half, 0),
});

/** The row that names the version, its ratings, and whether each movie's agree with its sums, in one statement. */
const ratingsBesideSums = `
  with by_movie as (select tmdb_id, ${figures} from marts.fact_rating group by tmdb_id)
  select (select run_id from marts.current),
         sum(by_movie.ratings)::int as ratings, sum(users)::int as users, sum(halves)::int as halves,
         bool_and((by_movie.ratings = sums.ratings and halves = sums.rating_sum * 2) is true) as agrees
  from by_movie full join marts.agg_movie_rating as sums using (tmdb_id)`;

test("readers see the ratings and sums of one version, through forty publications of versions that share a partition", async () => {
  const runs = new Map<string, SharingRun>();
  /** The ratings of twenty users, or one of them changed and one more. */
  const nextRun = async (before?: SharingRun) => {
    const n = runs.size;
    const first = Array.from({ length: 20 }, (_none, user): Rating => [user, 1 + (user % 5), 1 + (user % 10)]);
    const replaced = before ? before.ratings.slice(n, n + 1) : [];
    const changed = replaced.map(([user, movie, half]): Rating => [user, movie, 1 + (half % 10)]);
    const run = await sharingRun(
      before ? [[1000 + n, 1 + (n % 5), 1 + (n % 10)], ...changed] : first,
      replaced,
      before,
    );
    runs.set(run.run, run);
    return run;
  };
  const runSeen = async (by: Pick<pg.PoolClient, "query">) => {
    const [{ run_id, ...values } = { run_id: "" }] = (await by.query(ratingsBesideSums)).rows;
    const run = runs.get(run_id);
    expect(values).toEqual(run && { ...figuresOf(run), agrees: true });
    return run;
  };
  let publications = 0;
  const publishAgain = async (run: SharingRun) => {
    await publish(lake, pool, { run_id: run.run, allow_older: true }, quietLog);
    publications++;
    expect(await runSeen(pool)).toBe(run);
  };
  const goBackTo = async (run: SharingRun) => {
    await pool.query("update marts.current set run_id = $1", [run.run]);
    publications++;
    expect(await runSeen(pool)).toBe(run);
  };
  const refusedRun = async (before: SharingRun) => {
    const { run } = await nextRun(before);
    await putDbt({ ...dbtOf(run), failures: [{ name: "unique_rank", status: "fail", message: "Got 2 results" }] });
    expect(await refused(run)).toContain("dbt: unique_rank");
    await lake.put(lakeKeys.hop(run, "failure"), JSON.stringify({ tried_again: false }));
    return run;
  };
  const partitions = async () =>
    (await allPartitions(pool)).filter(
      ({ partition, state }) => partition.table === "fact_rating" && runs.has(state.comment?.run_id ?? ""),
    ).length;

  const base = await nextRun();
  await publishAgain(base);
  let isOver = false;
  let reads = 0;
  const read = async (isolation: string) => {
    const client = await pool.connect();
    try {
      while (!isOver) {
        await client.query(`begin isolation level ${isolation}`);
        const run = await runSeen(client);
        if (isolation === "repeatable read") {
          const { rows } = await client.query(`select ${figures} from marts.fact_rating`);
          expect(rows).toEqual(run && [figuresOf(run)]);
          expect(await runSeen(client)).toBe(run);
        }
        await client.query("commit");
        reads++;
      }
    } finally {
      client.release(true);
    }
  };
  const readers = Promise.all(["repeatable read", "read committed"].map(read));
  readers.catch(() => {});
  const published = [base];
  const places: number[] = [];
  try {
    let before = base;
    for (let round = 0; round < 8; round++) {
      const failed = round % 3 === 1 ? await refusedRun(before) : undefined;
      const next = await nextRun(before);
      published.push(next);
      for (const _again of [1, 2]) {
        await publishAgain(next);
        await goBackTo(before);
      }
      if (failed) {
        await putDbt(dbtOf(failed));
        expect(await refused(failed)).toContain("fact_rating: partition in the warehouse: expected attached, got none");
      }
      places.push(await partitions());
      // What goes on from a version that was gone back to cannot share with the one that was gone back from.
      if (round !== 4) before = next;
    }
    for (const run of published) await publishAgain(run);
  } finally {
    isOver = true;
  }
  await readers;
  expect(places).toEqual([1, 1, 1, 1, 1, 2, 2, 2]);
  expect(publications).toBeGreaterThan(40);
  expect(reads).toBeGreaterThan(40);
});
