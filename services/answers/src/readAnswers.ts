import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Answers, answers } from "@boxoffice/contracts/answers";
import { HttpError } from "@boxoffice/platform/httpError";
import type { ClientBase } from "pg";
import { z } from "zod";

type Row = Record<string, unknown>;
const queries = [
  ...(["highest_rated", "highest_rated_parameters", "popular_genres", "release_timing"] as const),
  ...(["release_timing_test", "genre_revenue", "run_counts", "run_summary"] as const),
];
type Tables = Record<(typeof queries)[number], Row[]>;

/**
 * The published answers, all of one run, or undefined when no run was published yet.
 * `folder` holds a query for each part of them: warehouse/answers. After an error the client is to be ended.
 */
export async function readAnswers(client: ClientBase, folder: string): Promise<Answers | undefined> {
  await client.query("begin transaction isolation level repeatable read read only");
  const { rows: published } = await client.query<{ known: boolean }>(
    "select to_regclass('marts.current') is not null as known",
  );
  const tables = {} as Partial<Tables>;
  for (const name of published[0]?.known ? queries : []) {
    const { rows } = await client.query<Row>(readFileSync(join(folder, `${name}.sql`), "utf8"));
    tables[name] = rows.map(withNumbers);
  }
  await client.query("commit");
  return published[0]?.known ? assemble(tables as Tables) : undefined;
}

const numeric = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
const texts = new Set([
  "title",
  "genre",
  "source",
  "period_type",
  "edition",
  "run_id",
  "dataset",
  "base_month",
  "dropped",
]);

/** bigint and numeric arrive as text; figures have 15 significant digits. */
function withNumbers(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (texts.has(name)) return [name, value];
      const number = typeof value === "string" && numeric.test(value) ? Number(value) : value;
      return [name, typeof number === "number" ? Number(number.toPrecision(15)) : number];
    }),
  );
}

/** The document that the queries' rows are parts of, or undefined when no run was published. */
export function assemble(tables: Tables): Answers | undefined {
  const summary = tables.run_summary[0];
  if (!summary) return undefined;
  const without = (row: Row, ...names: string[]) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));
  const where = (rows: Row[], name: string, value: string) => rows.filter((row) => row[name] === value);
  const ranked = (source: string) => ({
    ...without(where(tables.highest_rated_parameters, "source", source)[0] ?? {}, "source"),
    movies: where(tables.highest_rated, "source", source).map((row) => without(row, "source")),
  });
  const periods = (type: string) =>
    where(tables.release_timing, "period_type", type).map(({ period_type, period, ...figures }) => ({
      [type]: period,
      ...figures,
    }));
  const test = (type: string) =>
    without(where(tables.release_timing_test, "period_type", type)[0] ?? {}, "period_type");
  const result = answers.safeParse({
    edition: summary.edition,
    run_id: summary.run_id,
    base_month: summary.base_month,
    highest_rated: { tmdb: ranked("tmdb"), movielens: ranked("movielens") },
    popular_genres: tables.popular_genres,
    release_timing: {
      months: periods("month"),
      quarters: periods("quarter"),
      tests: { month: test("month"), quarter: test("quarter") },
    },
    genre_revenue: tables.genre_revenue,
    counts: Object.fromEntries(
      tables.run_counts.map(({ dataset, dropped, repaired, ...counts }) => [
        dataset,
        {
          ...counts,
          dropped: typeof dropped === "string" ? JSON.parse(dropped) : dropped,
          ...(repaired ? { repaired } : {}),
        },
      ]),
    ),
  });
  if (result.success) return result.data;
  // Not a ZodError, which would be taken for a fault of the request.
  throw new HttpError(
    500,
    "bad_answers",
    `the published answers of run ${summary.run_id} are not as their contract says:\n${z.prettifyError(result.error)}\n` +
      "They stay in the warehouse's marts as they are. Run again, so that they are those of this version of the box",
    { cause: result.error },
  );
}
