import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { answers } from "@boxoffice/contracts/answers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { TestBox } from "../../scripts/test/testBox.ts";
import { bundledText, EditionCopy, type EditionFile } from "./edition.ts";
import { compareWithOracle } from "./oracle.ts";

const box = new TestBox("e2e", 21_000);
const editions: EditionCopy[] = [];

function edition(): EditionCopy {
  const copy = new EditionCopy();
  editions.push(copy);
  return copy;
}

async function published(): Promise<string> {
  return answers.parse(JSON.parse(await box.command("answers", "--json"))).run_id;
}

beforeAll(() => box.remove());
afterAll(async () => {
  for (const copy of editions) copy.remove();
  await box.remove();
});

describe("a box from nothing", () => {
  it("comes up with the four answers and the addresses to open", async () => {
    const { code, stdout, stderr } = await box.attempt("up");
    expect(stderr + stdout).toContain("Airflow");
    expect(code, stderr).toBe(0);
    for (const text of ["The Shawshank Redemption", "Drama", "Kruskal-Wallis", "Adventure"]) {
      expect(stdout).toContain(text);
    }
  });

  it("answers with every figure of the independent computation", async () => {
    const report = compareWithOracle(await box.command("answers", "--json"), rootPath("data", "edition"));
    expect(report).toMatch(/\d{3} figures/);
  });

  it("names the six fragments of the three split records as dead letters", async () => {
    const page = JSON.parse(await box.command("dead-letters", "list", "--json"));
    expect(page.total).toBe(6);
    expect(page.dead_letters.map((letter: { line: number }) => letter.line)).toEqual([
      19731, 19732, 29504, 29505, 35588, 35589,
    ]);
  });

  it("does nothing again on a second up", async () => {
    const before = await published();
    const status = await box.command("status", "--json");
    await box.command("up");
    expect(await published()).toBe(before);
    const pids = (text: string) => JSON.parse(text).services.map(({ pid }: { pid: number }) => pid);
    expect(pids(await box.command("status", "--json"))).toEqual(pids(status));
  });

  it("keeps its answers through down and up", async () => {
    const before = await box.command("answers", "--json");
    await box.command("down");
    expect(
      JSON.parse(await box.command("status", "--json")).services.map((s: { state: string }) => s.state),
    ).not.toContain("ready");
    await box.command("up");
    expect(await box.command("answers", "--json")).toBe(before);
  });
});

describe("a spreadsheet's re-save", () => {
  it("loads with its BOM, CRLF, US dates and capitals, and changes no answer", async () => {
    const text = bundledText("movies_metadata.csv")
      .replaceAll(
        /(?<=,)(\d{4})-(\d{2})-(\d{2})(?=,)/g,
        (_, year, month, day) => `${Number(month)}/${Number(day)}/${year}`,
      )
      .replaceAll(/^False,/gm, "FALSE,")
      .replaceAll(",False,", ",FALSE,")
      .replaceAll("\n", "\r\n");
    const copy = edition().with("movies_metadata.csv", `\uFEFF${text}`);
    await box.command("run", "--edition", copy.path);
    compareWithOracle(await box.command("answers", "--json"), rootPath("data", "edition"));
  });
});

describe("an older edition", () => {
  it("is refused, with the way to publish it all the same", async () => {
    const before = await published();
    const refused = await box.attempt("run");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("--allow-older");
    expect(await published()).toBe(before);
    await box.command("run", "--allow-older");
    expect(await published()).not.toBe(before);
  });
});

describe("CPI with holes", () => {
  it("adjusts by the months there are and counts the rest as not adjustable", async () => {
    const text = bundledText("CPIAUCSL.csv")
      .replace("observation_date", "DATE")
      .replace(/^1995-10-01,.*$/m, "1995-10-01,.")
      .replace(/^1997-12-01,.*\r?\n/m, "");
    const copy = edition().with("CPIAUCSL.csv", text);
    await box.command("run", "--edition", copy.path);
    compareWithOracle(await box.command("answers", "--json"), copy.path);
  });
});

describe("bad input", () => {
  const movies = () => bundledText("movies_metadata.csv");
  const rejected = () =>
    movies()
      .split("\n")
      .map((line, at) => (at > 0 && at % 10 === 0 ? `${line},one cell too many` : line))
      .join("\n");
  const cases: [string, (copy: EditionCopy) => EditionCopy, RegExp][] = [
    ["a missing file", (copy) => copy.without("links.csv"), /links\.csv/],
    ["an empty file", (copy) => copy.with("movies_metadata.csv", ""), /empty/],
    [
      "a renamed column",
      (copy) => copy.with("movies_metadata.csv", movies().replace("vote_count", "votes")),
      /vote_count/,
    ],
    [
      "HTML in place of CSV",
      (copy) => copy.with("CPIAUCSL.csv", "<!doctype html><html><body>Sign in</body></html>"),
      /HTML/,
    ],
    ["a truncated gzip", truncated("ratings_small.csv"), /truncated|cut|ends/i],
    ["a wrong delimiter", (copy) => copy.with("links.csv", bundledText("links.csv").replaceAll(",", ";")), /;/],
    ["more than 5 % rejects", (copy) => copy.with("movies_metadata.csv", rejected()), /5 ?%/],
  ];

  function truncated(file: EditionFile) {
    return (copy: EditionCopy) => {
      const bytes = Buffer.from(bundledText(file));
      const gzip = gzipSync(bytes);
      return copy.with(file, gzip.subarray(0, gzip.length / 2), `${file}.gz`);
    };
  }

  it.each(cases)("%s fails the run with one clear message and leaves the answers", async (_name, spoil, message) => {
    const before = await box.command("answers", "--json");
    const { code, stderr } = await box.attempt("run", "--edition", spoil(edition()).path);
    expect(stderr).toMatch(message);
    expect(stderr.split("\n").length).toBeLessThan(40);
    expect(code).toBe(1);
    expect(await box.command("answers", "--json")).toBe(before);
  });
});

describe("ports", () => {
  it("names the port, its holder and the setting when one is taken", async () => {
    const other = new TestBox("ports", 22_000);
    const server = createServer().listen(15_432 + 22_000, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { code, stderr } = await other.attempt("up", "--services", "warehouse");
    server.close();
    await other.remove();
    expect(code).toBe(3);
    expect(stderr).toContain("37432");
    expect(stderr).toContain("POSTGRES_PORT");
    expect(stderr).toContain(`pid ${process.pid}`);
  });
});

describe("two boxes side by side", () => {
  it("work with another BOX_HOME and BOX_PORT_OFFSET, and down ends only its own", async () => {
    const other = new TestBox("second", 23_000);
    await other.start("warehouse", "s3");
    await other.remove();
    const { services } = JSON.parse(await box.command("status", "--json"));
    expect(services.filter((service: { state: string }) => service.state !== "ready")).toEqual([]);
  });
});

describe("reset", () => {
  it("asks for --yes without a terminal, and removes the state with it", async () => {
    const other = new TestBox("reset", 24_000);
    mkdirSync(other.home, { recursive: true });
    writeFileSync(join(other.home, "mine.txt"), "kept");
    await other.command("up", "--services", "s3");
    const refused = await other.attempt("reset");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--yes");
    await other.command("reset", "--yes");
    const { services } = JSON.parse(await other.command("status", "--json"));
    expect(services.every((service: { state: string }) => service.state === "down")).toBe(true);
    await other.remove();
  });
});
