import { HttpError } from "@boxoffice/platform/httpError";
import { expect, test } from "vitest";
import { assemble } from "../src/readAnswers.ts";

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
