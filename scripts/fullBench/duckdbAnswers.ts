import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Answers } from "@boxoffice/contracts/answers";
import { z } from "zod";
import { rootPath } from "../boxHome.ts";
import { createVenv } from "../install/python.ts";
import { run } from "../install/run.ts";
import { cached, uvFolder } from "../install/toolchain.ts";
import { answerDifferences } from "./answerDifferences.ts";

const timed = z.object({ seconds: z.number(), answers: z.record(z.string(), z.unknown()) });
/** So many differences are told one by one. */
const mostTold = 10;

/** The seconds that DuckDB takes for the answers of an edition on all cores. Throws when they are not the published ones. */
export async function duckdbAnswers(edition: string, published: Omit<Answers, "run_id">): Promise<number> {
  const lock = "requirements/bench.txt";
  const python = await cached("bench", [lock], "Installing DuckDB (25 MB)", async (folder) =>
    createVenv(await uvFolder(), folder, lock),
  );
  const script = rootPath("scripts", "fullBench", "duckdb_answers.py");
  const output = await run(join(python, "bin", "python"), [script, edition, String(availableParallelism())]);
  const { seconds, answers } = timed.parse(JSON.parse(output));
  const { base_month, highest_rated, popular_genres, release_timing, genre_revenue } = published;
  const figures = { base_month, highest_rated, popular_genres, release_timing, genre_revenue };
  const differences = answerDifferences(figures, answers);
  if (differences.length > 0) throw new Error(differencesText(differences));
  return seconds;
}

function differencesText(differences: readonly string[]): string {
  const told = differences.slice(0, mostTold).map((difference) => `  ${difference}`);
  const rest = differences.length > mostTold ? [`  and ${differences.length - mostTold} more`] : [];
  const otherwise =
    "Ratings that were posted, and records that were repaired, are in no file: of a box that has any, the answers differ";
  return [`DuckDB's answers differ in ${differences.length} figures:`, ...told, ...rest, otherwise].join("\n");
}
