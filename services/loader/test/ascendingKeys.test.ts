import { expect, test } from "vitest";
import { ascendingKeys } from "../src/ascendingKeys.ts";
import { arrowTable } from "./goldTables.ts";

const key = ["user_id", "movie_id"];

/** A table with these pairs as its keys. */
const table = (pairs: readonly (readonly [number, number | null])[]) =>
  arrowTable([
    { name: "user_id", type: "int", cells: pairs.map(([user]) => user) },
    { name: "movie_id", type: "int", cells: pairs.map(([, movie]) => movie) },
  ]);

test("keys that ascend from row to row are stated by the first and the last", () => {
  const found = ascendingKeys(
    table([
      [1, 5],
      [1, 6],
      [2, 1],
      [40, 1],
    ]),
    key,
  );
  expect(found).toEqual({ columns: key, first: [1, 5], last: [40, 1] });
});

test.each([
  [
    "the same key twice",
    [
      [1, 5],
      [1, 5],
    ],
  ],
  [
    "a second column that descends",
    [
      [1, 6],
      [1, 5],
    ],
  ],
  [
    "a first column that descends",
    [
      [2, 1],
      [1, 9],
    ],
  ],
  [
    "a key that lacks a part",
    [
      [1, 1],
      [2, null],
    ],
  ],
  ["no rows", []],
] as const)("nothing is stated of %s", (_what, pairs) => {
  expect(ascendingKeys(table(pairs), key)).toBeUndefined();
});

test("batches ascend only when each begins after the one before", () => {
  const [low, high] = [
    table([
      [1, 1],
      [1, 9],
    ]),
    table([
      [2, 1],
      [2, 2],
    ]),
  ];
  expect(ascendingKeys(low.concat(high), key)).toEqual({ columns: key, first: [1, 1], last: [2, 2] });
  expect(ascendingKeys(high.concat(low), key)).toBeUndefined();
  expect(ascendingKeys(low.concat(low), key)).toBeUndefined();
});
