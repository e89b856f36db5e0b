import { datasetNames, datasets } from "@boxoffice/contracts/dataset";
import { contractColumns, missingColumns, recordReader } from "@boxoffice/contracts/recordReader";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const dirt = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", " ", ".", "0", "862", "-1", "1995-10-30", "10/30/1995", "NaN", "[]", "[{'id': 1, 'name': 'A'}]"),
);
/** Columns whose numbers have a range. */
const ranges: Readonly<Record<string, { min: number; max?: number }>> = {
  rating: { min: 0.5, max: 5 },
  vote_average: { min: 0, max: 10 },
  vote_count: { min: 0 },
};
const safeInteger = (value: unknown) => Number.isInteger(value);

describe.each(datasetNames)("any row of %s", (dataset) => {
  const contract = datasets[dataset];
  const columns = contractColumns(contract);
  const header = columns.map((column) => column.headers[0] ?? "");
  const read = recordReader(contract, header);

  test("is a record or a rejection, never an exception", () => {
    fc.assert(
      fc.property(fc.array(dirt, { maxLength: header.length + 2 }), (cells) => {
        const result = read(cells);
        if ("rejection" in result) {
          expect(result.rejection.reason).not.toBe("");
          if (cells.length !== header.length) expect(result.rejection.rule).toBe("wrong_number_of_cells");
        } else {
          expect(result.values).toHaveLength(columns.length);
        }
      }),
      { seed: 1, numRuns: 10_000 },
    );
  });

  test("that is a record holds values of each column's kind", () => {
    const good = {
      id: fc.integer({ min: 1, max: 2_147_483_647 }).map(String),
      epoch_seconds: fc.integer({ min: 0, max: 2_000_000_000 }).map(String),
      date: fc
        .date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
        .map((d) => d.toISOString().slice(0, 10)),
      genre_list: fc.constantFrom("[]", "[{'id': 16, 'name': 'Animation'}]"),
      text: fc.string(),
    };
    const goodNumber = (range = {}) =>
      fc.double({ noNaN: true, min: -1e300, max: 1e300, ...range }).map((n) => n.toFixed(6));
    const row = fc.tuple(
      ...columns.map(({ name, kind }) =>
        (kind === "number" ? goodNumber(ranges[name]) : good[kind]).filter((cell) => !/e\+/.test(cell)),
      ),
    );
    fc.assert(
      fc.property(row, (cells) => {
        const result = read(cells);
        if ("rejection" in result) throw new Error(result.rejection.reason);
        for (const [at, { kind }] of columns.entries()) {
          const value = result.values[at];
          if (kind === "id" || kind === "epoch_seconds" || kind === "date") expect(value).toSatisfy(safeInteger);
          if (kind === "number") expect(value).toBeTypeOf("number");
          if (kind === "text") expect(value).toBe(cells[at] === "" ? null : cells[at]);
        }
      }),
    );
  });

  test("may have its columns in any order and others among them", () => {
    const cells = columns.map(({ kind }) => (kind === "id" ? "7" : kind === "date" ? "1995-10-30" : ""));
    const plain = read(cells);
    const turned = recordReader(contract, ["index", ...header.toReversed()])(["0", ...cells.toReversed()]);
    expect(turned).toEqual(plain);
    expect(plain).toHaveProperty("values");
  });
});

test("a rejection names the source's column and the first rule that is broken", () => {
  const read = recordReader(datasets.links, ["movieId", "imdbId", "tmdbId"]);
  expect(read(["1", "0114709", "x"])).toEqual({
    rejection: {
      rule: "not_a_positive_integer",
      column: "tmdbId",
      reason: "tmdbId: expected a positive integer up to 2147483647, got 'x'",
    },
  });
  expect(read(["", "0114709", "x"])).toMatchObject({ rejection: { rule: "missing_key", column: "movieId" } });
  expect(read(["1", "0114709"])).toMatchObject({ rejection: { rule: "wrong_number_of_cells", column: null } });
});

test.each([
  ["ratings", { userId: "1", movieId: "1", rating: "7.0" }, "rating: expected a number from 0.5 to 5, got '7'"],
  ["movies", { id: "1", vote_average: "10.1" }, "vote_average: expected a number from 0 to 10, got '10.1'"],
  ["movies", { id: "1", vote_count: "-1" }, "vote_count: expected a number from 0 up, got '-1'"],
] as const)(
  "a figure of %s that no test of the warehouse would let pass is rejected before it",
  (dataset, cells, reason) => {
    const given: Readonly<Record<string, string>> = cells;
    const header = contractColumns(datasets[dataset]).map((column) => column.headers[0] ?? "");
    const result = recordReader(datasets[dataset], header)(header.map((name) => given[name] ?? ""));
    expect(result).toMatchObject({ rejection: { rule: "out_of_range", reason } });
  },
);

test("FRED's old and new name of the date column are both known", () => {
  expect(missingColumns(datasets.cpi, ["DATE", "CPIAUCSL"])).toEqual([]);
  expect(missingColumns(datasets.cpi, ["observation_date", "CPIAUCSL"])).toEqual([]);
  expect(missingColumns(datasets.cpi, ["date", "CPIAUCSL"])).toEqual(["observation_date or DATE"]);
});
