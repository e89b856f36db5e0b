import { existsSync } from "node:fs";
import { join } from "node:path";
import { answers } from "@boxoffice/contracts/answers";
import { beforeAll, describe, expect, it } from "vitest";
import { type FullBenchReport, fullBenchText } from "../../scripts/fullBench/fullBench.ts";
import { connectWarehouse } from "../../scripts/warehouseClient.ts";
import { box } from "./sharedBox.ts";

const ratings = 20_000;
const limits = {
  ingest: "parse, check, encode in memory",
  bronze: "decode, encode Parquet in memory",
  "silver, gold": "Spark: read, group, write",
  warehouse: "COPY of fact_rating from a file",
  "the whole": "the sum of the limits",
};
/** Longer than any of it may take, on a machine that does much besides. */
const mostSeconds = 1_800;

describe("the bench of generated ratings", () => {
  let report: FullBenchReport;

  beforeAll(async () => {
    const { code, stdout, stderr } = await box.attempt("bench", "--full", "--ratings", String(ratings), "--json");
    expect(code, stderr).toBe(0);
    report = JSON.parse(stdout);
  }, mostSeconds * 1000);

  it("times every hop of three sizes", () => {
    expect(report.runs.map((run) => run.ratings)).toEqual([ratings / 100, ratings / 10, ratings]);
    for (const { ratings: rows, seconds_per_million, bench } of report.runs) {
      expectSeconds(bench.seconds, bench.waiting_seconds);
      expect(seconds_per_million).toBeCloseTo((bench.seconds / rows) * 1e6);
      expect(bench.peak_memory_mib).toBeGreaterThan(100);
      expect(bench.hops.find(({ hop }) => hop === "ingest.ratings")?.rows_in).toBe(rows);
      const hops = bench.hops.map(({ hop }) => hop);
      expect(hops).toEqual(expect.arrayContaining(["bronze.ratings", "silver", "gold", "warehouse", "dbt", "publish"]));
    }
  });

  it("has the limit of the machine beside each hop of the largest, and their sum beside the whole", () => {
    expect(Object.fromEntries(report.compared.map(({ hop, limit }) => [hop, limit]))).toEqual(limits);
    for (const { rows, seconds, limit_seconds, ratio, goal } of report.compared) {
      expect(rows).toBe(ratings);
      expectSeconds(seconds, limit_seconds);
      expect(ratio).toBeCloseTo(limit_seconds / seconds);
      expect(goal).toBeGreaterThan(0);
    }
    const [whole = 0, ...parts] = report.compared.map(({ limit_seconds }) => limit_seconds).reverse();
    expect(whole).toBeCloseTo(parts.reduce((sum, seconds) => sum + seconds, 0));
  });

  it("times an append as a share of the largest, Kafka's own tests, and DuckDB, which has the same answers", () => {
    const { runs, append, kafka, duckdb_seconds } = report;
    expect(append.ratings).toBe(ratings / 100);
    expect(append.share).toBeCloseTo(append.seconds / (runs.at(-1)?.bench.seconds ?? 0));
    expectSeconds(append.seconds, kafka.produce_seconds, kafka.consume_seconds, duckdb_seconds);
  });

  it("tells a person all of it", () => {
    const text = fullBenchText(report);
    for (const told of [...Object.entries(limits).flat(), "20,000", "Appending 200 ratings", "Kafka's own", "DuckDB"])
      expect(text).toContain(told);
  });

  it("leaves what it published, and nothing else", async () => {
    const { counts } = answers.parse(JSON.parse(await box.command("answers", "--json")));
    expect(counts.ratings.source_rows).toBe(ratings + ratings / 100);
    expect(existsSync(join(box.home, "bench"))).toBe(false);
    const warehouse = await connectWarehouse({ environment: await box.client() });
    const { rows } = await warehouse.query("select to_regclass('gold.bench_fact_rating') as left_over");
    await warehouse.end();
    expect(rows).toEqual([{ left_over: null }]);
  });
});

/** That figures are seconds, and not how many rows or milliseconds. */
function expectSeconds(...figures: readonly number[]): void {
  for (const seconds of figures) {
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(mostSeconds);
  }
}
