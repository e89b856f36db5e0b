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
import { runPipeline } from "../pipeline/runPipeline.ts";
import { publishedAnswers } from "../publishedAnswers.ts";
import { setting } from "../settings.ts";
import { line, step } from "../terminal.ts";
import { connectWarehouse } from "../warehouseClient.ts";
import { bronzeSpan } from "./bronzeSpan.ts";
import { copyLimit } from "./copyLimit.ts";
import { duckdbAnswers } from "./duckdbAnswers.ts";
import { type KafkaPerf, kafkaPerf } from "./kafkaPerf.ts";

/** Of the number of ratings that is asked for: what a row costs must not grow with them. */
const shares = [0.01, 0.1, 1];
/** Of that number too: what is appended to the last run, and the most of that run's seconds that it should take. */
const appended = { share: 0.01, goal: 0.1 };

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
  /** The services that are at work in it, their peaks meanwhile added up; undefined for a hop too short for a sample. */
  memory_mib: number | undefined;
  limit: string;
  limit_seconds: number;
  /** limit_seconds / seconds: 1 is as fast as the limit. */
  ratio: number;
  /** Of the ratio; what is there only to be seen has none. */
  goal: number | undefined;
}

export interface FullBenchReport {
  runs: { ratings: number; seconds_per_million: number; bench: BenchReport }[];
  compared: Compared[];
  /** A run that appends to the last one; its seconds as a share of those. */
  append: { ratings: number; seconds: number; share: number; goal: number };
  /** The same answers by another engine, straight from the files. */
  duckdb_seconds: number;
  /** Kafka's own tests with as many messages of the same size. */
  kafka: KafkaPerf;
}

const inMemory = z.object({
  rows: z.number(),
  slices: z.number(),
  bytes: z.number(),
  ingest_seconds: z.number(),
  bronze_seconds: z.number(),
});
const bare = z.object({ rows: z.number(), seconds: z.number() });

/**
 * Runs the pipeline on generated editions of 1 %, 10 % and all of a number of ratings, measures the limits on the last one,
 * and appends 1 % to it. Each run is published; needs room for the edition three times over.
 */
export async function fullBench(box: Box, { ratings, seed, signal }: FullBenchOptions): Promise<FullBenchReport> {
  const folder = homePath("bench");
  mkdirSync(folder, { recursive: true });
  try {
    const runs: FullBenchReport["runs"] = [];
    const generate = async (name: string, share: number, ownSeed: number) => {
      const count = Math.max(1, Math.round(ratings * share));
      const directory = join(folder, name);
      const shape = { ratings: count, seed: ownSeed, lineEnd: "\n" as const };
      await step(`Generating ${count.toLocaleString("en")} ratings`, () =>
        generateEdition({ directory, ...shape, force: true, signal, onProgress: () => {} }),
      );
      return { count, directory, path: await box.runtime.editionPath(directory) };
    };
    let edition = "";
    for (const share of shares) {
      const { count, directory, path } = await generate(`share-${share}`, share, seed);
      const report = await bench(box, path, signal);
      runs.push({ ratings: count, seconds_per_million: (report.seconds / count) * 1e6, bench: report });
      edition = directory;
    }
    const last = runs.at(-1);
    if (!last) throw new Error("nothing was run");
    line("Limits of this machine, on the same rows");
    const compared = await compare(box, last.bench, edition, folder);
    const { count, path } = await generate("appended", appended.share, seed + 1);
    const { seconds } = await runPipeline(box, { append: path }, signal);
    const share = seconds / last.bench.seconds;
    return { runs, ...compared, append: { ratings: count, seconds, share, goal: appended.goal } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(
  box: Box,
  report: BenchReport,
  edition: string,
  folder: string,
): Promise<Omit<FullBenchReport, "runs" | "append">> {
  const script = rootPath("scripts", "fullBench", "inMemory.ts");
  const ratingsCsv = join(edition, "ratings.csv");
  const memory = inMemory.parse(
    JSON.parse(
      await step("ingest and bronze in memory", () =>
        run(process.execPath, ["--import", "tsx", script, ratingsCsv], { cwd: rootPath() }),
      ),
    ),
  );
  const toolchain = await installToolchain();
  const env = { ...process.env, ...clientEnvironment(box) };
  const spark = bare.parse(
    JSON.parse(
      await step("bare Spark", () =>
        run(join(toolchain.pipeline, "bin", "python"), ["-m", "spark.bench.bare", report.run_id], {
          cwd: rootPath(),
          env,
        }),
      ),
    ),
  );
  const client = await connectWarehouse(box);
  const copy = await step("COPY from a file", () =>
    copyLimit(client, report.run_id, join(folder, "fact_rating.txt")),
  ).finally(() => client.end());
  const kafka = await step("Kafka's performance tests", () =>
    kafkaPerf(toolchain, setting(box.environment, "KAFKA_BROKERS"), { count: memory.slices, bytes: memory.bytes }),
  );
  const published = await publishedAnswers(box);
  if (!published) throw new Error("the last run was published, and nothing is");
  const duckdb_seconds = await step("DuckDB", () => duckdbAnswers(edition, published));

  const named = (...hops: string[]) => report.hops.filter(({ hop }) => hops.includes(hop));
  const secondsOf = (...hops: string[]) => named(...hops).reduce((sum, { seconds }) => sum + seconds, 0);
  const peakOf = (services: string[], ...hops: string[]) => {
    const peaks = services.map((service) =>
      Math.max(0, ...named(...hops).map(({ peak_by_service_mib }) => peak_by_service_mib[service] ?? 0)),
    );
    return peaks.reduce((sum, peak) => sum + peak, 0) || undefined;
  };
  const compared = (
    hop: string,
    [seconds, memory_mib]: [number, number | undefined],
    [limit, limit_seconds]: [string, number],
    goal?: number,
  ): Compared => ({
    hop,
    rows: memory.rows,
    seconds,
    memory_mib,
    limit,
    limit_seconds,
    ratio: limit_seconds / seconds,
    goal,
  });
  const limits = memory.ingest_seconds + memory.bronze_seconds + spark.seconds + copy.seconds;
  return {
    compared: [
      compared(
        "ingest",
        [secondsOf("ingest.ratings"), peakOf(["ingest"], "ingest.ratings")],
        ["parse, check, encode in memory", memory.ingest_seconds],
        0.7,
      ),
      compared(
        "bronze",
        [await bronzeSpan(box, report.run_id), peakOf(["loader"], "ingest.ratings", "bronze.ratings")],
        ["decode, encode Parquet in memory", memory.bronze_seconds],
        0.7,
      ),
      compared(
        "silver, gold",
        [secondsOf("silver", "gold"), peakOf(["spark-worker", "spark-connect"], "silver", "gold")],
        ["Spark: read, group, write", spark.seconds],
        0.7,
      ),
      compared(
        "warehouse",
        [secondsOf("warehouse"), peakOf(["loader", "warehouse"], "warehouse")],
        ["COPY of fact_rating from a file", copy.seconds],
        0.8,
      ),
      compared("the whole", [report.seconds, report.peak_memory_mib], ["the sum of the limits", limits], 1 / 1.6),
    ],
    kafka,
    duckdb_seconds,
  };
}

/** The report as lines for a terminal. */
export function fullBenchText({ runs, compared, append, kafka, duckdb_seconds }: FullBenchReport): string {
  const sizes = runs.map(
    ({ ratings, seconds_per_million, bench: { seconds, waiting_seconds, peak_memory_mib, peak_by_service_mib } }) =>
      `  ${ratings.toLocaleString("en").padStart(12)}${seconds.toFixed(1).padStart(9)} s${waiting_seconds.toFixed(1).padStart(8)} s${seconds_per_million.toFixed(2).padStart(9)}${String(peak_memory_mib).padStart(8)}${String(peak_by_service_mib.ingest ?? "").padStart(8)}${String(peak_by_service_mib.loader ?? "").padStart(8)}`,
  );
  const ratios = compared.map(({ hop, rows, seconds, memory_mib, limit, limit_seconds, ratio, goal }) => {
    const took = `${seconds.toFixed(1).padStart(8)} s${(rows / 1e6 / seconds).toFixed(2).padStart(8)}`;
    const figures = [String(memory_mib ?? ""), limit_seconds.toFixed(1), ratio.toFixed(2), goal?.toFixed(2) ?? ""];
    return `  ${hop.padEnd(14)}${took}${figures.map((figure) => figure.padStart(8)).join("")}  ${limit}`;
  });
  return [
    "       ratings        run  waiting  s per M  MiB all  ingest  loader",
    ...sizes,
    "",
    "  hop                took  M rows/s   MiB   limit   ratio    goal  the limit",
    ...ratios,
    "",
    `  Appending ${append.ratings.toLocaleString("en")} ratings: ${append.seconds.toFixed(1)} s, ${append.share.toFixed(2)} of that (goal ${append.goal.toFixed(2)})`,
    `  Kafka's own tests with the same bytes: ${kafka.produce_seconds.toFixed(1)} s to send, ${kafka.consume_seconds.toFixed(1)} s to fetch`,
    `  DuckDB, the same answers from the files: ${duckdb_seconds.toFixed(1)} s`,
  ].join("\n");
}
