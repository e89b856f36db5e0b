import { readFileSync } from "node:fs";
import { answers } from "@boxoffice/contracts/answers";
import { HttpError } from "@boxoffice/platform/httpError";
import { expect, test } from "vitest";
import { assemble } from "../src/readAnswers.ts";

const file = new URL("../../../data/answers.json", import.meta.url);
const certified = answers.parse({ run_id: "run-1", ...JSON.parse(readFileSync(file, "utf8")) });

const nothing = {
  highest_rated: [],
  highest_rated_parameters: [],
  popular_genres: [],
  release_timing: [],
  release_timing_test: [],
  genre_revenue: [],
  run_counts: [],
  run_summary: [],
};

test("before the first publication there are no answers, and that is no error", () => {
  expect(assemble(nothing)).toBeUndefined();
});

test("published rows that break their contract are the service's fault and not that of who asks", () => {
  const asked = () =>
    assemble({ ...nothing, run_summary: [{ run_id: "run-1", edition: "e", base_month: "2026-10-01" }] });
  expect(asked).toThrow(expect.objectContaining({ status: 500, code: "bad_answers" }));
  expect(asked).toThrow(HttpError);
  expect(asked).toThrow(/answers of run run-1 are not as their contract says:.*highest_rated\.tmdb\.c.*Run again/s);
});

/** The rows that the certified answers are made of, with so many repaired records of movies. */
function certifiedTables(repaired: number) {
  const { highest_rated, release_timing, ...document } = certified;
  const sources = ["tmdb", "movielens"] as const;
  const periods = (type: "month" | "quarter", rows: readonly Record<string, unknown>[]) =>
    rows.map(({ [type]: period, ...figures }) => ({ period_type: type, period, ...figures }));
  return {
    highest_rated: sources.flatMap((source) => highest_rated[source].movies.map((row) => ({ source, ...row }))),
    highest_rated_parameters: sources.map((source) => ({ source, ...highest_rated[source], movies: undefined })),
    popular_genres: document.popular_genres,
    release_timing: [...periods("month", release_timing.months), ...periods("quarter", release_timing.quarters)],
    release_timing_test: (["month", "quarter"] as const).map((type) => ({
      period_type: type,
      ...release_timing.tests[type],
    })),
    genre_revenue: document.genre_revenue,
    run_counts: Object.entries(document.counts).map(([dataset, { dropped, ...counts }]) => ({
      ...{ dataset, ...counts, dropped: JSON.stringify(dropped) },
      repaired: dataset === "movies" ? repaired : 0,
    })),
    run_summary: [certified],
  };
}

test("repaired records are told where there are some, and leave no trace where there are none", () => {
  expect(JSON.stringify(assemble(certifiedTables(0)))).toBe(JSON.stringify(certified));
  const { movies, links } = assemble(certifiedTables(3))?.counts ?? {};
  expect(movies).toEqual({ ...certified.counts.movies, repaired: 3 });
  expect(links).toEqual(certified.counts.links);
});
