import { afterAll, describe, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { bundledText, EditionCopy } from "../kit/edition.ts";
import { compareWithOracle } from "../kit/oracle.ts";
import { box, publishedRun } from "./sharedBox.ts";

const copies: EditionCopy[] = [];
afterAll(() => {
  for (const copy of copies) copy.remove();
});

function edition(): EditionCopy {
  const copy = new EditionCopy();
  copies.push(copy);
  return copy;
}

/** Movies as a spreadsheet saves them. */
function respread(text: string): string {
  const usDates = text.replaceAll(
    /(?<=,)(\d{4})-(\d{2})-(\d{2})(?=,)/g,
    (_, year, month, day) => `${Number(month)}/${Number(day)}/${year}`,
  );
  const capitals = usDates.replaceAll(/^False,/gm, "FALSE,").replaceAll(",False,", ",FALSE,");
  return `\uFEFF${capitals.replaceAll("\n", "\r\n")}`;
}

describe("another edition", () => {
  it("saved by a spreadsheet, with BOM, CRLF, US dates and capitals, gives the same answers; holes in the CPI are counted", async () => {
    const cpi = bundledText("CPIAUCSL.csv")
      .replace("observation_date", "DATE")
      .replace(/^1995-10-01,.*$/m, "1995-10-01,.")
      .replace(/^1997-12-01,.*\r?\n/m, "");
    const spreadsheets = edition()
      .with("movies_metadata.csv", respread(bundledText("movies_metadata.csv")))
      .with("CPIAUCSL.csv", cpi);
    await box.command("run", "--edition", spreadsheets.path);
    // Revenues are adjusted by the months there are; the rest counts as not adjustable.
    const withHoles = edition().with("CPIAUCSL.csv", cpi);
    compareWithOracle(await box.command("answers", "--json"), withHoles.path);
  });

  it("that landed before the published one is refused, and published with --allow-older", async () => {
    const before = await publishedRun();
    const refused = await box.attempt("run");
    expect(refused.stderr).toContain("--allow-older");
    expect(refused.code).toBe(1);
    expect(await publishedRun()).toBe(before);
    await box.command("run", "--allow-older");
    expect(await publishedRun()).not.toBe(before);
    compareWithOracle(await box.command("answers", "--json"), rootPath("data", "edition"));
  });
});
