import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { bundledText, EditionCopy } from "../kit/edition.ts";
import { box } from "./sharedBox.ts";

let copy: EditionCopy | undefined;
afterEach(() => copy?.remove());

const movies = () => bundledText("movies_metadata.csv");

/** Every tenth record has a cell too many: twice the share that is let through. */
const overlong = () =>
  movies()
    .split("\n")
    .map((line, at) => (at > 0 && at % 10 === 0 ? `${line},one cell too many` : line))
    .join("\n");

function cut(text: string): Uint8Array {
  const packed = gzipSync(text);
  return packed.subarray(0, packed.length / 2);
}

const signIn = "<!doctype html><html><body>Sign in</body></html>";

const cases: [string, (edition: EditionCopy) => EditionCopy, RegExp][] = [
  ["a missing file", (edition) => edition.without("links.csv"), /links\.csv/],
  ["an empty file", (edition) => edition.with("movies_metadata.csv", ""), /empty/i],
  ["a missing column", (edition) => edition.with("CPIAUCSL.csv", "observation_date\n1995-10-01\n"), /CPIAUCSL/],
  [
    "a renamed column",
    (edition) => edition.with("movies_metadata.csv", movies().replace("vote_count", "votes")),
    /vote_count/,
  ],
  ["HTML in place of CSV", (edition) => edition.with("CPIAUCSL.csv", signIn), /HTML/],
  [
    "a truncated gzip",
    (edition) => edition.with("ratings_small.csv", cut(bundledText("ratings_small.csv")), "ratings_small.csv.gz"),
    /cut short/,
  ],
  [
    "a wrong delimiter",
    (edition) => edition.with("links.csv", bundledText("links.csv").replaceAll(",", ";")),
    /semicolon|';'|";"/i,
  ],
  ["more than 5 % rejects", (edition) => edition.with("movies_metadata.csv", overlong()), /5 ?%/],
];

describe("bad input", () => {
  it.each(cases)("%s fails the run with one clear message and leaves the answers", async (_name, spoil, message) => {
    const before = await box.command("answers", "--json");
    copy = spoil(new EditionCopy());
    const { code, stderr } = await box.attempt("run", "--edition", copy.path);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n").length).toBeLessThan(40);
    expect(code).toBe(1);
    expect(await box.command("answers", "--json")).toBe(before);
  });
});
