import {
  date,
  epochSeconds,
  fredNumber,
  genreList,
  id,
  idKey,
  number,
  numberWithin,
  text,
} from "@boxoffice/contracts/cell";
import { describe, expect, test } from "vitest";
import type { z } from "zod";

const day = (iso: string) => Date.parse(`${iso}T00:00:00Z`) / 86_400_000;

function rule(schema: z.ZodType, raw: string): unknown {
  const issue = schema.safeParse(raw).error?.issues[0];
  return issue?.code === "custom" ? issue.params?.rule : undefined;
}

describe("an id", () => {
  test.each([
    ["862", 862],
    [" 862 ", 862],
    ["0000862", 862],
    ["2147483647", 2_147_483_647],
    ["", null],
  ])("%j is read as %j", (raw, value) => expect(id("id").parse(raw)).toBe(value));

  test.each(["0", "-5", "862.0", "1e3", "2147483648", "tt0114709", "1997-08-20", "٣"])("%j is rejected", (raw) =>
    expect(rule(id("id"), raw)).toBe("not_a_positive_integer"),
  );

  test("is missed where it is the key", () => expect(rule(idKey("id"), " ")).toBe("missing_key"));
});

describe("a number", () => {
  test.each([
    ["21.946943", 21.946943],
    ["81.", 81],
    [".5", 0.5],
    ["-3", -3],
    ["1E-6", 1e-6],
    ["", null],
  ])("%j is read as %j", (raw, value) => expect(number("n").parse(raw)).toBe(value));

  test.each(["1,000", "NaN", "Infinity", "0x10", "$5", "/ff9qCepilowshEtG2GYWwzt2bs4.jpg", "."])(
    "%j is rejected",
    (raw) => expect(rule(number("n"), raw)).toBe("unreadable_number"),
  );

  test("that FRED has no value for is a dot, and null", () => expect(fredNumber("CPIAUCSL").parse(".")).toBeNull());
});

describe("a number within a range", () => {
  const stars = numberWithin({ least: 0.5, most: 5 }, "rating");
  const votes = numberWithin({ least: 0 }, "vote_count");

  test.each([
    ["0.5", 0.5],
    ["5.0", 5],
    ["", null],
  ])("%j is read as %j", (raw, value) => expect(stars.parse(raw)).toBe(value));

  test.each(["0", "0.4", "5.1", "7", "-3", "1e999"])(
    "%j is rejected, for the warehouse's tests would refuse it",
    (raw) => expect(rule(stars, raw)).toBe("out_of_range"),
  );

  test("is a number first", () => expect(rule(stars, "five")).toBe("unreadable_number"));

  test("may have no upper end", () => {
    expect(votes.parse("0")).toBe(0);
    expect(votes.parse("1e12")).toBe(1e12);
    expect(rule(votes, "-1")).toBe("out_of_range");
  });

  test("says which it is", () => {
    expect(stars.safeParse("7").error?.issues[0]?.message).toBe("expected a number from 0.5 to 5, got '7'");
    expect(votes.safeParse("-1").error?.issues[0]?.message).toBe("expected a number from 0 up, got '-1'");
  });
});

describe("a date", () => {
  test("is read as ISO and as a spreadsheet saves it, alike", () => {
    expect(date("d").parse("1995-10-30")).toBe(day("1995-10-30"));
    expect(date("d").parse("10/30/1995")).toBe(day("1995-10-30"));
    expect(date("d").parse("1/5/0987")).toBe(day("0987-01-05"));
    expect(date("d").parse("1874-12-09")).toBe(day("1874-12-09"));
    expect(date("d").parse("2000-02-29")).toBe(day("2000-02-29"));
    expect(date("d").parse("")).toBeNull();
  });

  test.each(["1900-02-29", "30/10/1995", "1995-13-01", "0000-01-01", "1995-1-5", "12", "1995-10-30T00:00"])(
    "%j is none",
    (raw) => expect(rule(date("d"), raw)).toBe("unreadable_date"),
  );
});

describe("a time", () => {
  test.each([
    ["1260759144", 1_260_759_144],
    ["0", 0],
    ["", null],
  ])("%j is read as %j", (raw, value) => expect(epochSeconds("t").parse(raw)).toBe(value));

  test.each(["-1", "1.5", "2009-12-14"])("%j is rejected", (raw) =>
    expect(rule(epochSeconds("t"), raw)).toBe("unreadable_timestamp"),
  );
});

describe("a genre list", () => {
  test.each([
    "[]",
    "[{'id': 16, 'name': 'Animation'}, {'id': 35, 'name': 'Comedy'}]",
    `[{"id": 16, "name": "Animation"}]`,
    `[{'id': 1, 'name': "Rock 'n' Roll"}]`,
    String.raw`[{'id': 1, 'name': 'Rock \'n\' Roll'}]`,
  ])("%s is kept as it came", (raw) => expect(genreList("g").parse(raw)).toBe(raw));

  test.each(["[{'id': 16}]", "[{'id': 16, 'name': None}]", "Animation", "[{'id': 16, 'name': 'A'}", "[,]"])(
    "%s is rejected",
    (raw) => expect(rule(genreList("g"), raw)).toBe("unreadable_genre_list"),
  );

  test.each(["'A\0'", String.raw`'A\x00'`, String.raw`"\u0000A"`, String.raw`'\\\x00'`])(
    "with the name %j is rejected, for Postgres cannot store U+0000",
    (name) => expect(rule(genreList("g"), `[{'id': 1, 'name': ${name}}]`)).toBe("unstorable_character"),
  );

  test.each([String.raw`'\\x00'`, String.raw`'\\\\u0000'`, String.raw`'\x01'`])(
    "with the name %j has no U+0000",
    (name) => expect(genreList("g").safeParse(`[{'id': 1, 'name': ${name}}]`).success).toBe(true),
  );

  test("of great length is read in no time, whether it is one or not", () => {
    const long = `[${Array.from({ length: 20_000 }, (_, at) => `{'id': ${at}, 'name': 'Genre \\'${at}\\''}`).join(", ")}`;
    const started = performance.now();
    expect(rule(genreList("g"), long)).toBe("unreadable_genre_list");
    expect(genreList("g").safeParse(`${long}]`).success).toBe(true);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

test("text is kept as it came, blanks and quotes included", () => {
  expect(text("t").parse('  "Toy" Story ')).toBe('  "Toy" Story ');
  expect(text("t").parse("")).toBeNull();
});

test("text with U+0000 is rejected, for Postgres cannot store it", () => {
  expect(rule(text("t"), "Toy\0Story")).toBe("unstorable_character");
});
