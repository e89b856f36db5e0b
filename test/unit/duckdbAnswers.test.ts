import { answers } from "@boxoffice/contracts/answers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { answerDifferences } from "../../scripts/fullBench/answerDifferences.ts";
import { duckdbAnswers } from "../../scripts/fullBench/duckdbAnswers.ts";
import { certifiedAnswers } from "../kit/certifiedAnswers.ts";
import { bundledText, EditionCopy } from "../kit/edition.ts";

const published = answers.omit({ run_id: true }).parse(JSON.parse(certifiedAnswers()));
/** DuckDB may have to be installed first. */
const milliseconds = 180_000;

let edition: EditionCopy;
beforeEach(() => {
  edition = new EditionCopy();
});
afterEach(() => edition.remove());

/** A record of the bundled movies, with other cells. */
function movie(id: string, cells: Readonly<Record<string, string>>): string {
  const [header = "", ...records] = bundledText("movies_metadata.csv").trimEnd().split(/\r?\n/);
  const names = header.split(",");
  const plain = records.find((record) => record.split(",").length === names.length && !record.includes('"')) ?? "";
  const changed: Readonly<Record<string, string>> = { id, ...cells };
  return plain
    .split(",")
    .map((cell, at) => changed[names[at] ?? ""] ?? cell)
    .join(",");
}

test("DuckDB has every figure of the bundled edition that is certified", { timeout: milliseconds }, async () => {
  expect(await duckdbAnswers(edition.path, published)).toBeGreaterThan(0);
});

test("what breaks its contract, or repeats a record that wins, changes no figure of DuckDB either", {
  timeout: milliseconds,
}, async () => {
  edition.withMore("movies_metadata.csv", [
    movie("278", { vote_count: "1", revenue: "9" }),
    movie("278", { vote_count: "", revenue: "9" }),
    ...["", "0", "12.0", "2147483648"].map((id) => movie(id, { revenue: "9" })),
    ...["budget", "popularity", "revenue", "runtime"].map((name) => movie("99999999", { [name]: "1$" })),
    movie("99999999", { vote_average: "10.1" }),
    movie("99999999", { vote_count: "-1" }),
    movie("99999999", { release_date: "2001-02-29" }),
    movie("99999999", { genres: "[{'id': 18}]" }),
    movie("99999999", { title: "\0" }),
    "99999999,of,other,cells",
  ]);
  edition.withMore("links.csv", ["1,0114709,0", "1,0114709,x"]);
  const ratings = bundledText("ratings_small.csv").trimEnd().split(/\r?\n/);
  const [user, movieId, stars] = (ratings.at(-1) ?? "").split(",");
  const newest = 4_000_000_000;
  edition.withMore("ratings_small.csv", [
    ...[`${user},${movieId},0.5,${newest}`, `${user},${movieId},${stars},${newest}`],
    ...[`${user},${movieId},0.5,1`, `${user},${movieId},0.5,`, `${user},${movieId},,9999999999`],
    ...["999,1,5.5,1", "999,1,0,1", "0,1,3,1", "999,x,3,1", "999,1,3,yesterday", "999,1,3"],
  ]);
  edition.withMore("CPIAUCSL.csv", [
    "2000-01-01,1.0",
    "2000-01-01,169.300",
    "2040-01-01,.",
    "2040-02-01,-1",
    "2040-03-32,9",
  ]);
  expect(await duckdbAnswers(edition.path, published)).toBeGreaterThan(0);
});

test("a rating more is told, by the figures that it changes", { timeout: milliseconds }, async () => {
  edition.withMore("ratings_small.csv", ["999,1,3.0,1"]);
  await expect(duckdbAnswers(edition.path, published)).rejects.toThrow(
    /differ in 20 figures:\n {2}highest_rated\.movielens\.c is 3\.29020289.*, published 3\.29020328337278\n.*and 10 more/s,
  );
});

test("any figure that is changed is told, by its path; other last digits are not, where it was divided", () => {
  const told = (change: (copy: typeof published) => void) => {
    const copy = structuredClone(published);
    change(copy);
    return answerDifferences(published, copy);
  };
  const toldOfMean = (mean: number) =>
    told(({ highest_rated }) => {
      highest_rated.tmdb.c = mean;
    });
  expect(toldOfMean(5.618329297820821)).toEqual([]);
  expect(toldOfMean(5.6183294)).toEqual(["highest_rated.tmdb.c is 5.6183294, published 5.61832929782082"]);
  expect(told(({ release_timing }) => release_timing.quarters.pop())).toHaveLength(1);
  expect(told(({ highest_rated }) => highest_rated.tmdb.movies.reverse())).not.toEqual([]);
  const sum = told(({ genre_revenue: [first] }) => {
    if (first?.revenue_real) first.revenue_real = 371432657988.793;
  });
  expect(sum).toEqual(["genre_revenue.0.revenue_real is 371432657988.793, published 371432657988.792"]);
});
