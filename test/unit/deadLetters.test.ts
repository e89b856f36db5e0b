import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ShownDeadLetter } from "@boxoffice/contracts/deadLetter";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exitCode } from "../../scripts/boxError.ts";
import { type DeadLetterPage, decideDeadLetter, listDeadLetters, showDeadLetter } from "../../scripts/deadLetters.ts";
import { deadLettersText, deadLetterText, decidedText } from "../../scripts/deadLettersText.ts";

const none: DeadLetterPage = {
  run_id: "a.run",
  dead_letters: [],
  live_dead_letters: [],
  next: null,
  total: 0,
  states: { open: 0, fixed: 0, merged_into: 0, discarded: 0 },
  pending: 0,
  not_loaded: [],
  failure: null,
};

const letter: ShownDeadLetter = {
  id: "movies.0123-v1.7",
  ...{ dataset: "movies", load_id: "0123-v1", file: "movies.csv", line: 8, row_number: 7, column: null },
  ...{ rule: "wrong_number_of_cells", reason: "expected 24 cells, got 10", raw: "False,\n,1" },
  state: "fixed",
  record: { id: 862, title: "Toy Story", release_date: 9433, overview: null },
  history: [
    {
      ...{ id: "movies.0123-v1.7", dataset: "movies", source: "0123-v1", row_number: 7, state: "fixed" },
      ...{ at: "2026-11-24T10:00:00.000Z", merged_rows: [8], set: { title: "Toy Story" } },
    },
  ],
};
const { record, history, ...listed } = letter;

let loader: Server;
let answer: { status: number; body: unknown };
/** Given one after the other, before `answer`. */
let answers: (typeof answer)[] = [];
let asked: string | undefined;
let allAsked: (string | undefined)[] = [];
let posted: string;

beforeEach(async () => {
  allAsked = [];
  loader = createServer(async (request, response) => {
    asked = request.url;
    allAsked.push(asked);
    posted = (await request.setEncoding("utf8").toArray()).join("");
    const { status, body } = answers.shift() ?? answer;
    response.writeHead(status).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => loader.listen(0, "127.0.0.1", resolve));
});
afterEach(
  () =>
    new Promise((resolve) => {
      loader.close(resolve);
      loader.closeAllConnections();
    }),
);

const client = () => {
  const { port } = loader.address() as AddressInfo;
  return { environment: { LOADER_URL: `http://127.0.0.1:${port}` } };
};
const list = (runId?: string) => listDeadLetters(client(), { runId });

test("those of the published run are asked for when none is named", async () => {
  answer = { status: 200, body: none };
  expect(await list()).toEqual(none);
  expect(asked).toBe("/dead-letters");
  await list("a.run");
  expect(asked).toBe("/dead-letters?run_id=a.run");
});

/** A page of so many dead letters from a row on. */
function pageFrom(row: number, count: number, next: string | null): DeadLetterPage {
  const dead_letters = Array.from({ length: count }, (_none, at) => ({
    ...listed,
    id: `movies.0123-v1.${row + at}`,
    row_number: row + at,
  }));
  return { ...none, dead_letters, next, total: 2_500 };
}

test("more than the loader answers at once are asked for page by page, all of the run of the first", async () => {
  const pages = [
    pageFrom(1, 1_000, "movies.0123-v1.1000"),
    pageFrom(1_001, 1_000, "movies.0123-v1.2000"),
    { ...pageFrom(2_001, 499, null), live_dead_letters: [{ partition: 2, offset: 40, reason: "not JSON", raw: "{" }] },
  ];
  answers = pages.map((body) => ({ status: 200, body }));
  const page = await listDeadLetters(client(), { limit: Number.POSITIVE_INFINITY });
  expect(page.dead_letters.map(({ row_number }) => row_number)).toEqual(
    Array.from({ length: 2_499 }, (_, at) => at + 1),
  );
  expect(page).toMatchObject({ total: 2_500, next: null, live_dead_letters: [{ offset: 40 }] });
  expect(allAsked).toEqual([
    "/dead-letters",
    "/dead-letters?run_id=a.run&after=movies.0123-v1.1000",
    "/dead-letters?run_id=a.run&after=movies.0123-v1.2000",
  ]);
});

test("no more are asked for than are wanted, and from where they are wanted", async () => {
  answers = [pageFrom(8, 1_000, "movies.0123-v1.1007"), pageFrom(1_008, 5, "movies.0123-v1.1012")].map((body) => ({
    status: 200,
    body,
  }));
  const page = await listDeadLetters(client(), { after: "movies.0123-v1.7", limit: 1_005 });
  expect(page.dead_letters).toHaveLength(1_005);
  expect(page.next).toBe("movies.0123-v1.1012");
  expect(allAsked).toEqual([
    "/dead-letters?after=movies.0123-v1.7",
    "/dead-letters?run_id=a.run&after=movies.0123-v1.1007&limit=5",
  ]);
  answer = { status: 400, body: { error: { code: "unknown_cursor", message: "no page begins after 7" } } };
  await expect(listDeadLetters(client(), { after: "7" })).rejects.toMatchObject({ exitCode: exitCode.usage });
});

test("a run that the loader does not know is an error of the command line, with what the loader says", async () => {
  answer = { status: 404, body: { error: { code: "unknown_run", message: "there is no run typo", retryable: false } } };
  await expect(list("typo")).rejects.toMatchObject({ message: "there is no run typo", exitCode: exitCode.usage });
});

test("of what is no run id the rule is shown that it breaks", async () => {
  const issues = [{ path: "run_id", message: "a run id has 1 to 100 characters" }];
  answer = { status: 400, body: { error: { code: "bad_request", message: "not as expected", issues } } };
  await expect(list("a run")).rejects.toMatchObject({
    message: "not as expected\n  run_id: a run id has 1 to 100 characters",
    exitCode: exitCode.usage,
  });
});

test("without a published run it is the command that fails, not its line that is wrong", async () => {
  answer = { status: 404, body: { error: { code: "nothing_published", message: "no run has been published yet" } } };
  await expect(list()).rejects.toMatchObject({ exitCode: exitCode.failed });
});

test("each dead letter is shown with its place, its reason and its beginning, a live one too, and all are counted", () => {
  const page: DeadLetterPage = {
    ...none,
    dead_letters: [
      {
        id: "links.0123-v1.7",
        dataset: "links",
        load_id: "0123-v1",
        file: "links.csv",
        line: 8,
        row_number: 7,
        column: null,
        rule: "wrong_number_of_cells",
        reason: "expected 3 cells, got 1",
        raw: `x\r\n${"y".repeat(200)}`,
        state: "open",
      },
    ],
    live_dead_letters: [{ partition: 2, offset: 40, reason: "not JSON", raw: "{" }],
    next: "ratings-live.2.40",
    total: 5,
  };
  expect(deadLettersText(page).split("\n")).toEqual([
    "links.0123-v1.7",
    "  links.csv line 8: expected 3 cells, got 1",
    `  x ${"y".repeat(98)}`,
    "ratings-live.2.40",
    "  ratings-live partition 2 offset 40: not JSON",
    "  {",
    "… more: ./box dead-letters list --run a.run --after ratings-live.2.40",
    "5 dead letters",
  ]);
  expect(deadLettersText(none)).toBe("0 dead letters");
});

test("a run without some load says so, and why it failed", () => {
  expect(deadLettersText({ ...none, not_loaded: ["ratings", "cpi"] })).toBe(
    "0 dead letters\nThe run has no load of ratings, cpi yet.",
  );
  const failure =
    "ratings.csv: 7 of 8 records break the contract; they are in s3://lake/dead-letters/ratings/load=0123-v2/";
  const text = deadLettersText({ ...none, not_loaded: ["ratings"], failure });
  expect(text).toContain("no load of ratings, whose dead letters are not among these");
  expect(text).toContain(failure);
});

test("states are shown with the letters and counted, and what no run goes by yet is said with the command for it", () => {
  const merged = { ...listed, id: "movies.0123-v1.8", state: "merged_into", merged_into: letter.id } as const;
  const page = {
    ...none,
    dead_letters: [listed, merged],
    total: 2,
    states: { open: 0, fixed: 1, merged_into: 1, discarded: 0 },
    pending: 1,
  };
  const lines = deadLettersText(page).split("\n");
  expect(lines[0]).toBe("movies.0123-v1.7  fixed");
  expect(lines[3]).toBe("movies.0123-v1.8  merged-into movies.0123-v1.7");
  expect(lines.slice(6)).toEqual([
    "2 dead letters (1 fixed, 1 merged-into)",
    "1 decision is newer than the run: ./box dead-letters replay makes one that goes by them",
  ]);
});

test("a dead letter is shown with its text, its repaired record and every decision", () => {
  expect(deadLetterText(letter).split("\n")).toEqual([
    "movies.0123-v1.7  fixed",
    "  movies.csv line 8, record 7: expected 24 cells, got 10 (wrong_number_of_cells)",
    "  raw:",
    "    False,",
    "    ,1",
    "  repaired record:",
    "    id            862",
    "    title         Toy Story",
    "    release_date  1995-10-30",
    "  decisions:",
    "    2026-11-24T10:00:00.000Z fixed: of records 7, 8: set title",
  ]);
  expect(decidedText(letter)).toContain("movies.0123-v1.7 is fixed\n  id            862");
});

test("a decision is posted to the letter's own address, and what the loader has against it is told", async () => {
  answer = { status: 200, body: letter };
  expect(await showDeadLetter(client(), letter.id)).toEqual(letter);
  expect(asked).toBe(`/dead-letters/${letter.id}`);
  await decideDeadLetter(client(), letter.id, { merge_with: ["movies.0123-v1.8"] });
  expect([asked, posted]).toEqual([`/dead-letters/${letter.id}/fixes`, '{"merge_with":["movies.0123-v1.8"]}']);
  answer = { status: 409, body: { error: { code: "merged_elsewhere", message: "it is merged into 6" } } };
  const refused = decideDeadLetter(client(), letter.id, { reopen: true });
  await expect(refused).rejects.toMatchObject({ message: "it is merged into 6", exitCode: exitCode.failed });
  answer = { status: 400, body: { error: { code: "not_repaired", message: "it still breaks" } } };
  await expect(showDeadLetter(client(), "a/b")).rejects.toMatchObject({ exitCode: exitCode.usage });
  expect(asked).toBe("/dead-letters/a%2Fb");
  answer = { status: 404, body: { statusCode: 404, error: "Not Found" } };
  await expect(showDeadLetter(client(), "x")).rejects.toThrow("check the id");
});
