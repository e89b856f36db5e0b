import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Answers } from "@boxoffice/contracts/answers";
import { z } from "zod";
import { rootPath } from "../boxHome.ts";
import { createVenv } from "../install/python.ts";
import { run } from "../install/run.ts";
import { cached, uvFolder } from "../install/toolchain.ts";

const answered = z.object({
  seconds: z.number(),
  movie: z.number(),
  genres: z.record(z.string(), z.tuple([z.number(), z.number()])),
});

/** The seconds that DuckDB takes for the answers of an edition on all cores. Throws when they are not the published ones. */
export async function duckdbAnswers(edition: string, published: Answers): Promise<number> {
  const lock = "requirements/bench.txt";
  const python = await cached("bench", [lock], "Installing DuckDB (25 MB)", async (folder) =>
    createVenv(await uvFolder(), folder, lock),
  );
  const script = rootPath("scripts", "fullBench", "duckdb_answers.py");
  const output = await run(join(python, "bin", "python"), [script, edition, String(availableParallelism())]);
  const { seconds, movie, genres } = answered.parse(JSON.parse(output));
  const best = published.highest_rated.movielens?.movies[0]?.tmdb_id;
  const different = published.popular_genres.filter(
    ({ genre, ratings, users }) => ratings !== (genres[genre]?.[0] ?? 0) || users !== (genres[genre]?.[1] ?? 0),
  );
  if (movie !== best || different.length > 0) {
    const names = different.map(({ genre }) => genre).join(", ");
    throw new Error(`DuckDB's answers differ: movie ${movie}, published ${best}; ratings or users of [${names}]`);
  }
  return seconds;
}
