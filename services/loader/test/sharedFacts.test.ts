import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { migrate } from "../src/migrations.ts";
import { allPartitions, partitionOf, partitionState, setComment } from "../src/partitions.ts";
import { heldParts } from "../src/sharedFacts.ts";
import { sweepVersions } from "../src/sweep.ts";
import { sweepLake } from "../src/sweepLake.ts";
import { loadVersion } from "../src/version.ts";
import { inTransaction } from "../src/warehouse.ts";
import { migrationsDirectory, newDatabase, newLake, quietLog, uniqueName } from "./engines.ts";
import { bridgeOf, linksTo, parquetOfRatings, putGold, type Rating, smallGold } from "./goldTables.ts";

let lake: ObjectStore;
let pool: pg.Pool;
let drop: () => Promise<void>;

beforeAll(async () => {
  lake = await newLake();
});
afterAll(() => lake.close());
beforeEach(async () => {
  ({ pool, drop } = await newDatabase());
  await migrate(pool, migrationsDirectory, quietLog);
  return () => drop();
});

async function putRatings(prefix: string, ratings: readonly Rating[], withTime = true): Promise<string> {
  await lake.put(`${prefix}/part-0.parquet`, parquetOfRatings(ratings, withTime));
  return prefix;
}

interface Part {
  added: Rating[];
  replaced?: Rating[];
}

/** A run whose ratings are in these parts, of which it wrote the last; answers the prefixes of all. */
async function putRun(
  run: string,
  before: { added: string[]; replaced: string[] },
  part: Part,
  rows: number,
  tryId = "try1",
) {
  const place = before.added.length;
  const prefix = `gold/${run}/${tryId}`;
  const parts = {
    added: [...before.added, await putRatings(`${prefix}/added`, part.added)],
    replaced:
      place === 0 ? [] : [...before.replaced, await putRatings(`${prefix}/replaced`, part.replaced ?? [], false)],
  };
  const report = {
    tables: { ...smallGold, fact_rating: rows },
    parts: { fact_rating: parts, bridge_movielens_movie: bridgeOf(parts) },
  };
  await putGold(lake, run, smallGold, report, tryId);
  return parts;
}

const load = (run: string) =>
  loadVersion(lake, pool, run, { signal: new AbortController().signal, progress: () => {} });

async function publish(run: string): Promise<void> {
  await pool.query(
    `begin; insert into mart_versions.run_summary (run_id, edition, inputs) values ('${run}', 'e', '{}') on conflict do nothing;
     update marts.current set run_id = '${run}'; commit`,
  );
}

async function seen(by: pg.Pool | pg.PoolClient = pool): Promise<Rating[]> {
  const { rows } = await by.query<{ rating: Rating }>(
    "select json_build_array(user_id, movie_id, (rating * 2)::int) as rating from marts.fact_rating order by user_id, movie_id",
  );
  return rows.map(({ rating }) => rating);
}

async function readers(run: string): Promise<Rating[]> {
  await publish(run);
  return seen();
}

/** Has a run say that it failed, and that Airflow tries it again or not. */
const fail = (run: string, tried_again = false) =>
  lake.put(lakeKeys.hop(run, "failure"), JSON.stringify({ tried_again }));

const factPartitions = async () =>
  (await allPartitions(pool))
    .filter(({ partition }) => partition.table === "fact_rating")
    .map(({ state }) => state.comment?.run_id)
    .sort();

const base: Rating[] = [
  [1, 1, 4],
  [1, 2, 6],
  [2, 1, 8],
];
const nothing = { added: [], replaced: [] };

/** A full run and two that go on from it, each from the one before. */
async function chain() {
  const [full, first, second] = ["full", "first", "second"].map(uniqueName) as [string, string, string];
  const parts = await putRun(full, nothing, { added: base }, 3);
  await load(full);
  const firstParts = await putRun(
    first,
    parts,
    {
      added: [
        [1, 1, 2],
        [3, 1, 10],
      ],
      replaced: [[1, 1, 4]],
    },
    4,
  );
  await load(first);
  const secondParts = await putRun(
    second,
    firstParts,
    {
      added: [
        [1, 1, 9],
        [2, 1, 1],
      ],
      replaced: [
        [1, 1, 2],
        [2, 1, 8],
      ],
    },
    4,
  );
  await load(second);
  return { full, first, second, parts, firstParts, secondParts };
}
const ofFirst: Rating[] = [
  [1, 1, 2],
  [1, 2, 6],
  [2, 1, 8],
  [3, 1, 10],
];
const ofSecond: Rating[] = [
  [1, 1, 9],
  [1, 2, 6],
  [2, 1, 1],
  [3, 1, 10],
];

test("the same ratings by another bridge are in a partition of their own, with its movies", async () => {
  const [full, other] = [uniqueName("full"), uniqueName("other")];
  const parts = await putRun(full, nothing, { added: base }, 3);
  await load(full);
  const report = { tables: { ...smallGold, fact_rating: 3 }, parts: { fact_rating: parts } };
  await putGold(lake, other, smallGold, report);
  const bridge = `gold/${other}/try1/bridge_movielens_movie/part-0.parquet`;
  const half = Math.floor((smallGold.bridge_movielens_movie ?? 0) / 2);
  await lake.put(bridge, linksTo(Array.from({ length: half }, (_none, at) => 900 + at)));
  await load(other);
  expect(await factPartitions()).toEqual([full, other].sort());
  for (const [run, movies] of [
    [full, [1, 2, 1]],
    [other, [900, 901, 900]],
  ] as const) {
    expect(await readers(run)).toEqual(base);
    const { rows } = await pool.query("select tmdb_id from marts.fact_rating order by user_id, movie_id");
    expect(rows.map(({ tmdb_id }) => tmdb_id)).toEqual(movies);
  }
});

test("runs that go on from each other share a partition, and readers of each see its own ratings", async () => {
  const { full, first, second, secondParts } = await chain();
  expect(await factPartitions()).toEqual([full]);
  for (const _again of [1, 2]) {
    expect(await readers(second)).toEqual(ofSecond);
    expect(await readers(full)).toEqual(base);
    expect(await readers(first)).toEqual(ofFirst);
  }
  const partition = partitionOf("fact_rating", full);
  const { rowCount } = await pool.query(
    "select from pg_indexes where tablename = $1 and indexdef like '%brin (from_place, until_place)'",
    [partition.name],
  );
  expect(rowCount).toBe(1);
  const { comment } = (await partitionState(pool, partition)) ?? {};
  expect(comment && heldParts(comment)).toEqual(secondParts.added);
  // Again nothing is copied, nor where a partition does not say how many rows it has, as of before it did.
  for (const _again of [1, 2]) {
    for (const [run, rows] of [
      [full, 3],
      [first, 4],
      [second, 4],
    ] as const) {
      expect((await load(run)).tables.fact_rating).toBe(rows);
    }
    const { rows: _, ...silent } = comment ?? { run_id: full, prefix: "", loaded_at: "" };
    await inTransaction(pool, (transaction) => setComment(transaction, partition, silent));
  }
  expect(await readers(first)).toEqual(ofFirst);
});

test("a run that goes on from one that others went on from too has a partition of its own, with all parts", async () => {
  const { full, first, parts } = await chain();
  const other = uniqueName("other");
  await putRun(other, parts, { added: [[2, 1, 3]], replaced: [[2, 1, 8]] }, 3);
  await load(other);
  expect(await factPartitions()).toEqual([full, other].sort());
  expect(await readers(other)).toEqual([
    [1, 1, 4],
    [1, 2, 6],
    [2, 1, 3],
  ]);
  expect(await readers(first)).toEqual(ofFirst);
});

test.each([
  [
    "has a rating that it does not replace",
    { added: [[1, 2, 1]] as Rating[] },
    /two rows of fact_rating .*\(1, 2, 32767\)/,
  ],
  [
    "replaces a rating that is not there",
    { added: [[1, 2, 1]] as Rating[], replaced: [[1, 2, 7]] as Rating[] },
    /replaces 1 ratings, of which .* has 0/,
  ],
])("a part that %s is refused, and nothing is changed", async (_what, part, reason) => {
  const { second, secondParts } = await chain();
  const wrong = uniqueName("wrong");
  await putRun(wrong, secondParts, part, 5);
  await expect(load(wrong)).rejects.toThrow(reason);
  expect(await readers(second)).toEqual(ofSecond);
});

test("a version that is kept keeps what it shares, in the warehouse and in the lake, until it goes itself", async () => {
  const { full, first, second } = await chain();
  const later = ["later", "latest"].map(uniqueName) as [string, string];
  for (const run of [full, first, second]) await publish(run);
  await sweepVersions(pool, 1, quietLog);
  expect(await factPartitions()).toEqual([full]);
  expect(await readers(second)).toEqual(ofSecond);
  const runs = (await allPartitions(pool)).map(({ state }) => state.comment?.run_id);
  expect(runs).not.toContain(first);

  const layers = async () => {
    const found = new Set<string>();
    for await (const { key } of lake.list(lakeKeys.gold)) found.add(key.split("/")[1] ?? "");
    return [full, first, second].filter((run) => found.has(run));
  };
  const inTwoDays = Date.now() + 48 * 60 * 60 * 1000;
  await sweepLake(lake, new Set([second]), quietLog, inTwoDays);
  expect(await layers()).toEqual([full, first, second]);

  for (const run of later) {
    await putRun(run, nothing, { added: base }, 3);
    await load(run);
    await publish(run);
  }
  await sweepVersions(pool, 1, quietLog);
  await sweepVersions(pool, 1, quietLog);
  expect(await factPartitions()).toEqual([later[1]]);
  await sweepLake(lake, new Set([later[1]]), quietLog, inTwoDays);
  expect(await layers()).toEqual([]);
});

test("gold of a run that others share, computed anew, does not take the place of what they share", async () => {
  const { full, second } = await chain();
  await putGold(lake, full, smallGold, {}, "try2");
  await expect(load(full)).rejects.toMatchObject({ code: expect.stringMatching(/shared_version|published_version/) });
  expect(await readers(second)).toEqual(ofSecond);
});

/** One that goes on from the first of the chain, as the second does. */
const other: Part = {
  added: [
    [1, 2, 7],
    [1, 1, 3],
    [4, 1, 3],
  ],
  replaced: [
    [1, 2, 6],
    [1, 1, 2],
  ],
};
const ofOther: Rating[] = [
  [1, 1, 3],
  [1, 2, 7],
  [2, 1, 8],
  [3, 1, 10],
  [4, 1, 3],
];

test("a version takes the place of one that failed, and readers of the versions before see no difference", async () => {
  const { full, first, second, firstParts } = await chain();
  await publish(full);
  await publish(first);
  await fail(second);
  const reader = await pool.connect();
  const next = uniqueName("next");
  const parts = await putRun(next, firstParts, other, 5);
  try {
    await reader.query("begin isolation level repeatable read");
    await reader.query("select run_id from marts.current");
    await load(next);
    expect(await seen(reader)).toEqual(ofFirst);
    expect(await seen()).toEqual(ofFirst);
    expect(await readers(next)).toEqual(ofOther);
    expect(await seen(reader)).toEqual(ofFirst);
    await reader.query("commit");
  } finally {
    reader.release();
  }
  expect(await factPartitions()).toEqual([full]);
  const { comment } = (await partitionState(pool, partitionOf("fact_rating", full))) ?? {};
  expect(comment).toMatchObject({ run_id: full, parts: parts.added, rows: [3, 4, 5] });
  expect(await readers(full)).toEqual(base);
  expect(await readers(first)).toEqual(ofFirst);
  expect((await load(next)).tables.fact_rating).toBe(5);

  await load(second);
  expect(await factPartitions()).toEqual([full, second].sort());
  expect(await readers(second)).toEqual(ofSecond);
  expect(await readers(next)).toEqual(ofOther);
});

test("gold that is made anew after its load takes the place of what was loaded", async () => {
  const { full, first, second, firstParts } = await chain();
  await publish(first);
  await putRun(second, firstParts, other, 5, "try2");
  await load(second);
  expect(await factPartitions()).toEqual([full]);
  expect(await readers(first)).toEqual(ofFirst);
  expect(await readers(second)).toEqual(ofOther);

  await putRun(second, firstParts, { added: [[9, 1, 1]] }, 5, "try3");
  await expect(load(second)).rejects.toMatchObject({ code: "published_version" });
  expect(await seen()).toEqual(ofOther);
});

test("several versions that failed behind each other go together, with all that they replaced", async () => {
  const { full, first, second } = await chain();
  await publish(full);
  for (const run of [first, second]) await fail(run);
  const next = uniqueName("next");
  await putRun(next, { added: [`gold/${full}/try1/added`], replaced: [] }, { added: [[3, 3, 3]] }, 4);
  await load(next);
  expect(await factPartitions()).toEqual([full]);
  expect(await readers(full)).toEqual(base);
  expect(await readers(next)).toEqual([...base, [3, 3, 3]]);
  const { rows } = await pool.query("select run_id, place from mart_versions.shared_facts");
  expect(rows).toEqual([{ run_id: next, place: 1 }]);
});

test("a version that is published, or may be, keeps its place, and another is put into a partition of its own", async () => {
  const { full, second, firstParts } = await chain();
  const others: string[] = [];
  const loadOther = async () => {
    const run = uniqueName("other");
    others.push(run);
    await putRun(run, firstParts, other, 5);
    await load(run);
    expect(await factPartitions()).toEqual([full, ...others].sort());
  };
  await loadOther();
  await fail(second, true);
  await loadOther();
  await fail(second);
  await publish(second);
  await loadOther();
  expect(await readers(second)).toEqual(ofSecond);
  for (const run of others) expect(await readers(run)).toEqual(ofOther);
});

test("what fails to take a place leaves it as it is", async () => {
  const { first, second, firstParts } = await chain();
  await publish(first);
  await fail(second);
  const wrong = uniqueName("wrong");
  await putRun(wrong, firstParts, { added: [[1, 2, 1]] }, 5);
  await expect(load(wrong)).rejects.toThrow(/two rows of fact_rating/);
  expect(await readers(second)).toEqual(ofSecond);
});
