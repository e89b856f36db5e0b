import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Answers, answers } from "@boxoffice/contracts/answers";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { runInputs } from "@boxoffice/contracts/runInputs";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { s3Settings } from "../../scripts/s3Settings.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { bundledText, EditionCopy } from "../kit/edition.ts";
import { compareWithOracle } from "../kit/oracle.ts";
import { box, publishedRun } from "./sharedBox.ts";

const page = z.object({
  dead_letters: z.array(z.object({ id: z.string(), row_number: z.number(), state: z.string() })),
  total: z.number(),
  pending: z.number(),
});

const letter = z.object({ state: z.string(), raw: z.string(), record: z.record(z.string(), z.unknown()).optional() });

const list = async () => page.parse(JSON.parse(await box.command("dead-letters", "list", "--json")));
const published = async () => answers.parse(JSON.parse(await box.command("answers", "--json")));
const states = async () => (await list()).dead_letters.map(({ state }) => state);

/** The first fragment of each of the three split records and the second, of the published run's load. */
async function splitRecords(): Promise<[string, string][]> {
  const ids = (await list()).dead_letters.map(({ id }) => id);
  return [0, 2, 4].map((at) => [ids[at] ?? "", ids[at + 1] ?? ""]);
}

function expectSums({ source_rows, dead_letters, bronze, repaired = 0, silver, dropped }: Answers["counts"]["movies"]) {
  expect(source_rows).toBe(bronze + dead_letters);
  expect(silver).toBe(bronze + repaired - Object.values(dropped).reduce((sum, rows) => sum + rows, 0));
}

/** The bundled edition without the three stray line breaks. */
const mended = new EditionCopy().with(
  "movies_metadata.csv",
  bundledText("movies_metadata.csv").replaceAll(/(,(?:82663|122662|249260),tt\d+,,,)\n/g, "$1"),
);

afterAll(async () => {
  mended.remove();
  // Whatever failed on the way.
  for (const [first] of await splitRecords()) await box.command("dead-letters", "reopen", first);
  await box.command("dead-letters", "replay");
});

describe("dead letters", () => {
  it("that still break the contract are refused with what to do, and nothing is decided", async () => {
    const [[first, second] = ["", ""]] = await splitRecords();
    const set = await box.attempt("dead-letters", "fix", first, "--set", "title=Midnight Man");
    expect(set.stderr).toMatch(/wrong_number_of_cells.*expected: 24 cells.*--merge/s);
    expect(set.code).toBe(2);
    const year = await box.attempt("dead-letters", "fix", first, "--merge", second, "--set", "release_date=1997");
    expect(year.stderr).toMatch(/unreadable_date.*release_date/s);
    expect((await box.attempt("dead-letters", "show", `${first}9`)).code).toBe(2);
    expect(new Set(await states())).toEqual(new Set(["open"]));
  });

  it("are mended by a file with the corrected record, with the line of column names before it or without", async () => {
    const [[first, second] = ["", ""]] = await splitRecords();
    const shown = async (id: string) =>
      letter.parse(JSON.parse(await box.command("dead-letters", "show", id, "--json")));
    const corrected = (await shown(first)).raw + (await shown(second)).raw;
    const [names = ""] = bundledText("movies_metadata.csv").split(/\r?\n/, 1);
    const file = join(mended.path, "corrected.csv");
    for (const text of [corrected, `${names}\n${corrected}\n`]) {
      writeFileSync(file, text);
      expect(await box.command("dead-letters", "fix", first, "--file", file)).toContain(`${first} is fixed`);
      expect(await shown(first)).toMatchObject({ state: "fixed", record: { id: 82_663, title: "Midnight Man" } });
      await box.command("dead-letters", "reopen", first);
    }
    const missing = await box.attempt("dead-letters", "fix", first, "--file", join(mended.path, "none.csv"));
    expect(missing.stderr).toContain("none.csv cannot be read");
    expect(missing.code).toBe(2);
    expect(new Set(await states())).toEqual(new Set(["open"]));
  });

  it("of the three split movies are mended by merging two fragments each, and the answers contain them", async () => {
    const { counts: before } = await published();
    const { pending } = await list();
    for (const [first, second] of await splitRecords()) {
      expect(await box.command("dead-letters", "fix", first, "--merge", second)).toContain("is fixed");
      expect(await box.command("dead-letters", "show", second)).toContain(`merged-into ${first}`);
    }
    expect(await states()).toEqual(["fixed", "merged_into", "fixed", "merged_into", "fixed", "merged_into"]);
    expect((await list()).pending).toBe(pending + 3);

    const replayed = JSON.parse(await box.command("dead-letters", "replay", "--json"));
    expect(replayed.run_id).toBe(await publishedRun());
    expect(replayed.repaired).toHaveLength(3);
    expect((await list()).pending).toBe(0);

    const document = await published();
    const { movies } = document.counts;
    const { source_rows, dead_letters, bronze, silver } = before.movies;
    expect(movies).toMatchObject({ source_rows, dead_letters, bronze, repaired: 3, silver: silver + 3 });
    expectSums(movies);

    // Every figure is that of the file without the stray line breaks; only where its rows came from differs.
    const { repaired, ...others } = movies;
    const whole = { ...others, source_rows: bronze + 3, dead_letters: 0, bronze: bronze + 3 };
    const asMended = { ...document, counts: { ...document.counts, movies: whole } };
    compareWithOracle(JSON.stringify(asMended), mended.path);

    const lake = new ObjectStore(s3Settings(await box.client()));
    const inputs = await lake.json(lakeKeys.hop(document.run_id, "inputs"), runInputs);
    lake.close();
    expect(inputs?.fixes).toEqual({ movies: [expect.objectContaining({ repaired: 3 })] });
    expect(await box.command("dead-letters", "replay")).toBe("");
  });

  it("stay as they are decided through a full refresh, also one that is discarded", async () => {
    const [, , [third] = [""]] = await splitRecords();
    await box.command("dead-letters", "discard", third, "--reason", "a test");
    const { counts: before } = await published();
    await box.command("run", "--full-refresh");
    expect(await states()).toEqual(["fixed", "merged_into", "fixed", "merged_into", "discarded", "open"]);
    const { movies } = (await published()).counts;
    expect(movies).toMatchObject({ ...before.movies, repaired: 2, silver: before.movies.silver - 1 });
    expectSums(movies);
    expect((await splitRecords())[2]?.[0]).not.toBe(third);
  });

  it("that are opened again leave the answers as they were, byte for byte", async () => {
    for (const [first] of await splitRecords()) await box.command("dead-letters", "reopen", first);
    await box.command("run");
    expect(new Set(await states())).toEqual(new Set(["open"]));
    expect(withoutRunId(await box.command("answers", "--json"))).toBe(certifiedAnswers());
  });
});
