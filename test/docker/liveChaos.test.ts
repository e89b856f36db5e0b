import { type Answers, answers } from "@boxoffice/contracts/answers";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { LiveRating } from "@boxoffice/contracts/liveRating";
import { runInputs } from "@boxoffice/contracts/runInputs";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import type pg from "pg";
import { afterAll, expect, it } from "vitest";
import { Random32 } from "../../scripts/random32.ts";
import { s3Settings } from "../../scripts/s3Settings.ts";
import { connectWarehouse } from "../../scripts/warehouseClient.ts";
import { EditionCopy } from "../kit/edition.ts";
import { liveMart } from "../kit/liveMart.ts";
import { firstNewUser, newUsersRatings } from "../kit/newUsersRatings.ts";
import { compareWithOracle } from "../kit/oracle.ts";
import { newestOf, ratingDifferences } from "../kit/ratingDifferences.ts";
import { RatingPoster } from "../kit/ratingPoster.ts";
import { type ChaosAction, chaosPlan, chaosSeed, liveForm, liveRoad } from "./chaosPlan.ts";
import { box } from "./composeBox.ts";
import { disturb, healthyAgain } from "./disturbance.ts";

const seed = chaosSeed();
const random = new Random32(seed);
const edition = new EditionCopy();
const disturbance = { kills: 0, stops: 0 };
const limitMilliseconds = 300_000;
let poster: RatingPoster;
let before: Awaited<ReturnType<typeof liveMart>>;
let printed: Answers;
/** How many more ratings Kafka has than were acknowledged: of a request that fails some or all may have been taken. */
let repeated: number;
afterAll(() => edition.remove());

const began = Date.now();
const sinceBegin = () => `${((Date.now() - began) / 1000).toFixed(0)} s`;

/** 50 ratings a second. */
const pace = { batch: 10, intervalMilliseconds: 200, answerMilliseconds: 5_000, patienceMilliseconds: 60_000 };
const patience = { timeout: 120_000, interval: 500, message: "every acknowledged rating is in the live mart" };

const figuresOf = (tally: Record<string, number>) =>
  `${Object.entries(tally)
    .map(([name, figure]) => `${name} ${figure}`)
    .join(", ")} (CHAOS_SEED=${seed})`;

/** Asks the warehouse by a connection that ends before it may be killed. */
async function ask<T>(question: (warehouse: pg.Client) => Promise<T>): Promise<T> {
  const warehouse = await connectWarehouse({ environment: await box.client() });
  try {
    return await question(warehouse);
  } finally {
    await warehouse.end();
  }
}

/** The MovieLens ids that lead to a movie. */
async function movieIds(warehouse: pg.Client): Promise<number[]> {
  const { rows } = await warehouse.query<{ movie_id: number }>(
    "select movie_id from marts.bridge_movielens_movie order by movie_id",
  );
  return rows.map(({ movie_id }) => movie_id);
}

/** The ratings that a run has published of users whom the edition does not have. */
async function publishedRatings(warehouse: pg.Client): Promise<LiveRating[]> {
  const { rows } = await warehouse.query<LiveRating>(
    `select user_id, movie_id, rating::float as rating, extract(epoch from rated_at)::float as timestamp
     from marts.fact_rating
     where user_id >= $1`,
    [firstNewUser],
  );
  return rows;
}

/** How many live ratings a run read. */
async function liveRead(run_id: string): Promise<number> {
  const lake = new ObjectStore(s3Settings(await box.client()));
  const inputs = await lake.json(lakeKeys.hop(run_id, "inputs"), runInputs);
  lake.close();
  const { source_rows = 0, bronze, dead_letters } = inputs?.live ?? {};
  expect({ bronze, dead_letters }).toEqual({ bronze: source_rows, dead_letters: 0 });
  return source_rows;
}

/** What the mart must count: what it did before, and of what was acknowledged each rating by its newest stars. */
function expectedMart() {
  const newest = newestOf(poster.acknowledged);
  const stars = newest.reduce((sum, { rating }) => sum + rating, Number(before.stars));
  return { ratings: before.ratings + newest.length, stars: stars.toFixed(1) };
}

/** A run on which what is planned happens; resolves when all is healthy again. */
async function disturbedRun(plan: readonly ChaosAction[]): Promise<"completed" | "failed"> {
  const running = box.attempt("run", "--full-refresh", "--allow-older");
  const end = Date.now() + liveForm.milliseconds;
  // Beyond the run's end too: ratings come all the while.
  await disturb(plan, { label: `CHAOS_SEED=${seed} live`, hasEnded: () => false, end }, disturbance);
  const { code, stderr } = await running;
  if (code !== 0) console.log(stderr.slice(stderr.search(/^box: /m)));
  await healthyAgain();
  return code === 0 ? "completed" : "failed";
}

/** The same answers had each rating come once: a repeated one is a row more, and dropped as a duplicate. */
function withoutRepeats(document: Answers, repeats: number): Answers {
  const { ratings } = document.counts;
  const duplicate_rating = (ratings.dropped.duplicate_rating ?? 0) - repeats;
  const once = {
    ...ratings,
    source_rows: ratings.source_rows - repeats,
    bronze: ratings.bronze - repeats,
    dropped: { ...ratings.dropped, duplicate_rating },
  };
  return { ...document, counts: { ...document.counts, ratings: once } };
}

it(
  `whatever dies while live ratings are posted, each that was acknowledged is in the live mart once (CHAOS_SEED=${seed})`,
  async () => {
    before = await ask(liveMart);
    const plan = chaosPlan(random, liveForm.actions, liveForm.milliseconds, liveRoad);
    const ratings = newUsersRatings(random, await ask(movieIds));
    const calm = new AbortController();
    poster = new RatingPoster(`${box.url("INGEST_PORT")}/ratings`, ratings, pace);
    const [outcome] = await Promise.all([disturbedRun(plan).finally(() => calm.abort()), poster.post(calm.signal)]);
    const { acknowledged, refused, unanswered } = poster;
    console.log(`run while live ratings were posted ${outcome}, ${sinceBegin()}`);
    console.log(figuresOf({ ...disturbance, acknowledged: acknowledged.length, refused, unanswered }));
    await ask((warehouse) => expect.poll(() => liveMart(warehouse), patience).toMatchObject(expectedMart()));
  },
  limitMilliseconds,
);

it(
  "the next run takes in each of them once",
  async () => {
    await box.command("run", "--allow-older");
    printed = answers.parse(JSON.parse(await box.command("answers", "--json")));
    repeated = (await liveRead(printed.run_id)) - poster.acknowledged.length;
    const { acknowledged, refused, unanswered } = poster;
    const differences = ratingDifferences(await ask(publishedRatings), newestOf(acknowledged));
    console.log(`taken in by the next run, ${sinceBegin()}`);
    console.log(figuresOf({ repeated, ...differences }));
    expect(differences).toEqual({ lost: 0, doubled: 0, altered: 0 });
    expect(await ask(liveMart)).toEqual({ ...expectedMart(), live: 0 });
    expect(repeated).toBeGreaterThanOrEqual(0);
    // Else nothing was in their way.
    expect(disturbance.kills).toBeGreaterThanOrEqual(liveForm.fewestKills);
    expect(refused + unanswered).toBeGreaterThan(0);
  },
  limitMilliseconds,
);

it(
  "its answers are those of an edition with these ratings behind its own",
  () => {
    const lines = poster.acknowledged.map(({ user_id, movie_id, rating, timestamp }) =>
      [user_id, movie_id, rating, timestamp].join(),
    );
    edition.withMore("ratings_small.csv", lines);
    console.log(compareWithOracle(JSON.stringify(withoutRepeats(printed, repeated)), edition.path));
  },
  limitMilliseconds,
);
