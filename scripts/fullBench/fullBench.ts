import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type BenchReport, bench } from "../bench.ts";
import { homePath, rootPath } from "../boxHome.ts";
import { clientEnvironment } from "../clientEnvironment.ts";
import { generateEdition } from "../generate/generateEdition.ts";
import { run } from "../install/run.ts";
import { installToolchain } from "../install/toolchain.ts";
import type { Box } from "../openBox.ts";
import { line, step } from "../terminal.ts";
import { connectWarehouse } from "../warehouseClient.ts";
import { copyLimit } from "./copyLimit.ts";

/** Of the number of ratings that is asked for: what a row costs must not grow with them. */
const shares = [0.01, 0.1, 1];

export interface FullBenchOptions {
  ratings: number;
  seed: number;
  signal: AbortSignal;
}

/** A hop beside what the same machine does in the same minutes of the same rows with nothing of ours around it. */
export interface Compared {
  hop: string;
  rows: number;
  seconds: number;
  limit: string;
  limit_seconds: number;
  /** limit_seconds / seconds: 1 is as fast as the limit. */
  ratio: number;
  goal: number;
}

export interface FullBenchReport {
  runs: { ratings: number; seconds_per_million: number; bench: BenchReport }[];
  compared: Compared[];
}

const inMemory = z.object({ rows: z.number(), ingest_seconds: z.number(), bronze_seconds: z.number() });
const bare = z.object({ rows: z.number(), seconds: z.number() });

/**
 * Runs the pipeline on generated editions of 1 %, 10 % and all of a number of ratings, then measures the limits on the
 * last one. Each run is published; needs room for the edition three times over.
 */
export async function fullBench(box: Box, { ratings, seed, signal }: FullBenchOptions): Promise<FullBenchReport> {
  const folder = homePath("bench");
  mkdirSync(folder, { recursive: true });
  try {
    const runs: FullBenchReport["runs"] = [];
    for (const share of shares) {
      const count = Math.max(1, Math.round(ratings * share));
      const directory = join(folder, String(count));
      await step(`Generating ${count.toLocaleString("en")} ratings`, () =>
        generateEdition({ directory, ratings: count, seed, lineEnd: "\n", force: true, signal, onProgress: () => {} }),
      );
      const report = await bench(box, await box.runtime.editionPath(directory), signal);
      runs.push({ ratings: count, seconds_per_million: (report.seconds / count) * 1e6, bench: report });
    }
    const last = runs.at(-1);
    if (!last) throw new Error("nothing was run");
    line("Limits of this machine, on the same rows");
    const file = join(folder, String(last.ratings), "ratings.csv");
    return { runs, compared: await compare(box, last.bench, file, folder) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(box: Box, report: BenchReport, ratingsCsv: string, folder: string): Promise<Compared[]> {
  const memory = inMemory.parse(
    JSON.parse(
      await step("ingest and bronze in memory", () =>
        run(process.execPath, ["--import", "tsx", rootPath("scripts", "fullBench", "inMemory.ts"), ratingsCsv], {
          cwd: rootPath(),
        }),
      ),
    ),
  );
  const { pipeline } = await installToolchain();
  const spark = bare.parse(
    JSON.parse(
      await step("bare Spark", () =>
        run(join(pipeline, "bin", "python"), ["-m", "spark.bench.bare", report.run_id], {
          cwd: rootPath(),
          env: { ...process.env, ...clientEnvironment(box) },
        }),
      ),
    ),
  );
  const client = await connectWarehouse(box);
  const copy = await step("COPY from a file", () => copyLimit(client, report.run_id, join(folder, "fact_rating.txt")));
  await client.end();

  const secondsOf = (...hops: string[]) =>
    report.hops.filter(({ hop }) => hops.includes(hop)).reduce((sum, { seconds }) => sum + seconds, 0);
  const compared = (hop: string, seconds: number, limit: string, limit_seconds: number, goal: number): Compared => ({
    hop,
    rows: memory.rows,
    seconds,
    limit,
    limit_seconds,
    ratio: limit_seconds / seconds,
    goal,
  });
  const limits = memory.ingest_seconds + memory.bronze_seconds + spark.seconds + copy.seconds;
  return [
    compared("ingest", secondsOf("ingest.ratings"), "parse, check, encode in memory", memory.ingest_seconds, 0.7),
    compared(
      "ingest, bronze",
      secondsOf("ingest.ratings", "bronze.ratings"),
      "the same, and decode and Parquet in memory",
      memory.ingest_seconds + memory.bronze_seconds,
      0.7,
    ),
    compared("silver, gold", secondsOf("silver", "gold"), "Spark: read, group, write", spark.seconds, 0.7),
    compared("warehouse", secondsOf("warehouse"), "COPY of fact_rating from a file", copy.seconds, 0.8),
    compared("the whole", report.seconds, "the sum of the limits", limits, 1 / 1.6),
  ];
}

/** The report as lines for a terminal. */
export function fullBenchText({ runs, compared }: FullBenchReport): string {
  const sizes = runs.map(
    ({ ratings, seconds_per_million, bench: { seconds, waiting_seconds, peak_memory_mib, peak_by_service_mib } }) =>
      `  ${ratings.toLocaleString("en").padStart(12)}${seconds.toFixed(1).padStart(9)} s${waiting_seconds.toFixed(1).padStart(8)} s${seconds_per_million.toFixed(2).padStart(9)}${String(peak_memory_mib).padStart(8)}${String(peak_by_service_mib.ingest ?? "").padStart(8)}${String(peak_by_service_mib.loader ?? "").padStart(8)}`,
  );
  const ratios = compared.map(
    ({ hop, seconds, limit, limit_seconds, ratio, goal }) =>
      `  ${hop.padEnd(16)}${seconds.toFixed(1).padStart(8)} s${limit_seconds.toFixed(1).padStart(8)} s${ratio.toFixed(2).padStart(7)}${goal.toFixed(2).padStart(7)}  ${limit}`,
  );
  return [
    "       ratings        run  waiting  s per M  MiB all  ingest  loader",
    ...sizes,
    "",
    "  hop                  took   limit  ratio   goal  the limit",
    ...ratios,
  ].join("\n");
}
