import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answers, answers } from "@boxoffice/contracts/answers";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { afterAll, describe, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { bundledText, EditionCopy, type EditionFile } from "../kit/edition.ts";
import { compareWithOracle } from "../kit/oracle.ts";
import { box } from "./sharedBox.ts";

const addedMovie = { movieId: 999_999, tmdbId: 9_000_001 };

/** Every hundredth of the bundled ratings, changed so that each rule about duplicates decides about some, and a bad one. */
function moreRatings(offset: number): string[] {
  const [, ...lines] = bundledText("ratings_small.csv").trimEnd().split(/\r?\n/);
  const more = lines
    .filter((_line, at) => at % 100 === offset)
    .map((line, at) => {
      const [user = 0, movie = 0, stars = 0, seconds = 0] = line.split(",").map(Number);
      const kinds = [
        [user + 1_000_000, movie, stars, seconds],
        [user, addedMovie.movieId, stars, seconds],
        [user, movie, 5.5 - stars, seconds + 1_000],
        [user, movie, 5.5 - stars, seconds],
        [user, movie, stars, seconds],
        [user, movie, 5.5 - stars, seconds - 1_000],
      ];
      return (kinds[at % kinds.length] ?? []).join(",");
    });
  return [...more, "nobody,1,3.5,1000000000"];
}

const firstRatings = moreRatings(0);
/** Of other ratings, and of some that were appended before. */
const laterRatings = [...moreRatings(50), ...firstRatings.filter((_line, at) => at % 20 < 7)].map((line, at) =>
  at % 3 === 0 ? line.replace(/^(\d+,\d+),[^,]+,/, "$1,0.5,") : line,
);

/** A movie that there is, with another title and more votes, and one that there is not. */
function moreMovies(): string[] {
  const [header = [], ...records] = parse(bundledText("movies_metadata.csv"), {
    relax_column_count: true,
  }) as string[][];
  const with_ = (record: readonly string[], cells: Record<string, string>) =>
    header.map((name, at) => cells[name] ?? record[at] ?? "");
  const toyStory = records.find((record) => record[header.indexOf("id")] === "862") ?? [];
  const changed = with_(toyStory, { title: "Toy Story again", vote_count: "9999" });
  const added = with_(toyStory, { id: String(addedMovie.tmdbId), title: "Added", revenue: "123456789" });
  return [changed, added].map((record) => stringify([record]).trimEnd());
}

const moreLinks = [`${addedMovie.movieId},0000001,${addedMovie.tmdbId}`];

const more: [EditionFile, string, string[]][] = [
  ["ratings_small.csv", "ratings.csv", firstRatings],
  ["movies_metadata.csv", "movies_metadata.csv", moreMovies()],
  ["links.csv", "links.csv", moreLinks],
];

/** Directories to append, one after the other. */
const [folder, later] = ["append-", "later-"].map((name) => mkdtempSync(join(tmpdir(), name))) as [string, string];
/** The bundled edition with the same records behind its own. */
const union = new EditionCopy();
for (const [file, name, lines] of more) {
  const [header = ""] = bundledText(file).split(/\r?\n/, 1);
  writeFileSync(join(folder, name), `${[header, ...lines].join("\n")}\n`);
  union.withMore(file, file === "ratings_small.csv" ? [...lines, ...laterRatings] : lines);
}
writeFileSync(join(later, "ratings.csv"), `${["userId,movieId,rating,timestamp", ...laterRatings].join("\n")}\n`);

afterAll(() => {
  for (const one of [folder, later]) rmSync(one, { recursive: true });
  union.remove();
});

const published = async (): Promise<Answers> => answers.parse(JSON.parse(await box.command("answers", "--json")));
const withoutNames = ({ run_id: _, edition: __, ...figures }: Answers) => figures;

describe("records that are appended", () => {
  let appended: Answers;

  it("are refused together with an edition or a full refresh, and from a folder without a file of any dataset", async () => {
    for (const other of [["--edition", union.path], ["--full-refresh"]]) {
      const refused = await box.attempt("run", "--append", folder, ...other);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain("--append <path>' cannot be used with");
    }
    const refused = await box.attempt("run", "--append", rootPath("docs"));
    expect(refused.stderr).toMatch(/no file of any dataset.*expected: .*ratings.csv.*found: .*architecture.md/s);
    expect(refused.code).toBe(1);
  });

  it("join what is published, with their dead letter", async () => {
    const { counts: before } = await published();
    const { code, stderr } = await box.attempt("run", "--append", folder);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/silver .* in full: the published run reads other movies/);
    const { counts } = await published();
    expect(counts.ratings.source_rows).toBe(before.ratings.source_rows + firstRatings.length);
    expect(counts.ratings.dead_letters).toBe(before.ratings.dead_letters + 1);
    expect(counts.movies.silver).toBe(before.movies.silver + 1);
    expect(counts.cpi).toEqual(before.cpi);
    const list = JSON.parse(await box.command("dead-letters", "list", "--json"));
    const [row_number, raw] = [firstRatings.length, firstRatings.at(-1)];
    expect(list.dead_letters).toContainEqual(
      expect.objectContaining({ dataset: "ratings", file: "ratings.csv", row_number, raw }),
    );
  });

  it("are alone computed when they are ratings; a run of the same edition keeps them and computes the same in full", async () => {
    const before = await published();
    const { code, stderr } = await box.attempt("run", "--append", later);
    expect(code, stderr).toBe(0);
    for (const hop of ["silver", "gold"]) {
      expect(stderr).toMatch(new RegExp(`${hop} .* goes on from ${before.run_id}`));
    }
    appended = await published();
    expect(appended.counts.ratings.source_rows).toBe(before.counts.ratings.source_rows + laterRatings.length);
    const full = await box.attempt("run");
    expect(full.code, full.stderr).toBe(0);
    expect(full.stderr).not.toContain("goes on from");
    expect({ ...(await published()), run_id: "" }).toEqual({ ...appended, run_id: "" });
  });

  it("give the answers and counts of a full refresh of all records in one edition, and of the oracle", async () => {
    const { code, stderr } = await box.attempt("run", "--full-refresh", "--edition", union.path);
    expect(code).toBe(0);
    expect(stderr).toMatch(/ratings: ratings_small.csv holds other bytes .* read no more: ratings.csv landed/);
    expect(withoutNames(await published())).toEqual(withoutNames(appended));
    compareWithOracle(await box.command("answers", "--json"), union.path);
  });
});
