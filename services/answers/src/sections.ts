import type { Answers } from "@boxoffice/contracts/answers";

type Cell = string | number | null;

interface Column<Row> {
  title: string;
  value: (row: Row, index: number) => Cell;
}

const integer = (value: number | null) => (value === null ? "-" : Math.round(value).toLocaleString("en"));
const fixed = (digits: number) => (value: number | null) => (value === null ? "-" : value.toFixed(digits));
const millions = (value: number | null) =>
  value === null
    ? "-"
    : `${(value / 1e6).toLocaleString("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 })} M`;
const billions = (value: number | null) =>
  value === null
    ? "-"
    : `${(value / 1e9).toLocaleString("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 })} bn`;
const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Figures as people read them, under their titles. */
export interface Table {
  caption?: string;
  titles: string[];
  rows: string[][];
}

/** One of the four questions, with the sentences and tables that answer it. */
export interface Section {
  question: string;
  sentences: string[];
  tables: Table[];
}

function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], caption?: string): Table {
  return {
    ...(caption === undefined ? {} : { caption }),
    titles: columns.map(({ title }) => title),
    rows: rows.map((row, index) => columns.map(({ value }) => String(value(row, index) ?? "-"))),
  };
}

type Ranked = Answers["highest_rated"]["tmdb"];

function rankedTable({ movies }: Ranked, caption: string): Table {
  return table(
    movies,
    [
      { title: "#", value: (_, index) => index + 1 },
      { title: "movie", value: (row) => `${row.title ?? row.tmdb_id} (${row.year ?? "?"})` },
      { title: "weighted", value: (row) => fixed(3)(row.weighted) },
      { title: "mean", value: (row) => fixed(2)(row.mean) },
      { title: "votes", value: (row) => integer(row.votes) },
    ],
    caption,
  );
}

type Timing = Omit<Answers["release_timing"]["quarters"][number], "quarter">;

function timingTable<Row extends Timing>(rows: readonly Row[], title: string, name: (row: Row) => string): Table {
  return table(rows, [
    { title, value: name },
    { title: "movies", value: (row) => integer(row.movies) },
    { title: "mean", value: (row) => millions(row.mean_revenue) },
    { title: "median", value: (row) => millions(row.median_revenue) },
    { title: "mean, real", value: (row) => millions(row.mean_revenue_real) },
    { title: "median, real", value: (row) => millions(row.median_revenue_real) },
  ]);
}

/** The sentence that answers whether the time of release matters. */
function verdict(word: string, test: Answers["release_timing"]["tests"]["month"]): string {
  if (test.h === null || test.p === null || test.log10_p === null)
    return `The ${word} of release: too few movies to tell.`;
  const p = test.p < 1e-4 ? `p = 10^${test.log10_p.toFixed(1)}` : `p = ${test.p.toFixed(4)}`;
  const share = ((test.epsilon_squared ?? 0) * 100).toFixed(1);
  const figures = `Kruskal-Wallis H = ${test.h.toFixed(1)}, df = ${test.df}, n = ${test.n.toLocaleString("en")}, ${p}`;
  if (test.p >= 0.05) return `The ${word} of release shows no influence on real revenue (${figures}).`;
  return `The ${word} of release does go with real revenue: ${figures}; it explains ${share} % of the ranks' variation.`;
}

/** The four questions with their answers. */
export function sections(answers: Answers): Section[] {
  const { highest_rated, popular_genres, release_timing, genre_revenue, base_month } = answers;
  const { tmdb, movielens } = highest_rated;
  const best = (ranked: Ranked) => ranked.movies[0]?.title ?? "none";
  return [
    {
      question: "1. What is the highest-rated movie of all time?",
      sentences: [`${best(tmdb)} by TMDB votes, ${best(movielens)} by MovieLens users.`],
      tables: [
        rankedTable(tmdb, `Weighted rating, TMDB (at least ${integer(tmdb.m)} votes)`),
        rankedTable(movielens, `MovieLens users (at least ${integer(movielens.m)} ratings)`),
      ],
    },
    {
      question: "2. Which genres are most popular among users?",
      sentences: [],
      tables: [
        table(popular_genres.slice(0, 10), [
          { title: "#", value: (_, index) => index + 1 },
          { title: "genre", value: (row) => row.genre },
          { title: "user ratings", value: (row) => integer(row.ratings) },
          { title: "users", value: (row) => integer(row.users) },
          { title: "mean", value: (row) => fixed(2)(row.mean_rating) },
          { title: "movies", value: (row) => integer(row.movies) },
          { title: "TMDB votes", value: (row) => integer(row.tmdb_votes) },
        ]),
      ],
    },
    {
      question: "3. Do release times influence box office?",
      sentences: [verdict("month", release_timing.tests.month), verdict("quarter", release_timing.tests.quarter)],
      tables: [
        timingTable(release_timing.months, "month", (row) => monthNames[row.month - 1] ?? ""),
        timingTable(release_timing.quarters, "quarter", (row) => `Q${row.quarter}`),
      ],
    },
    {
      question: `4. Which genres have the highest inflation-adjusted revenue? (US dollars of ${base_month ?? "no month"})`,
      sentences: [],
      tables: [
        table(genre_revenue.slice(0, 10), [
          { title: "#", value: (_, index) => index + 1 },
          { title: "genre", value: (row) => row.genre },
          { title: "real revenue", value: (row) => billions(row.revenue_real) },
          { title: "nominal", value: (row) => billions(row.revenue) },
          { title: "median, real", value: (row) => millions(row.median_revenue_real) },
          { title: "movies", value: (row) => integer(row.movies) },
          { title: "not adjustable", value: (row) => integer(row.not_adjustable) },
        ]),
      ],
    },
  ];
}

/** Whether each column holds text, which is set to the left; figures are set to the right. */
export function textColumns({ titles, rows }: Table): boolean[] {
  return titles.map((_, at) => rows.some((row) => /^[^\d-]/.test(row[at] ?? "")));
}
