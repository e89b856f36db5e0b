import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exitCode } from "../../scripts/boxError.ts";
import { type DeadLetterPage, deadLettersText, listDeadLetters } from "../../scripts/deadLetters.ts";

const none: DeadLetterPage = { dead_letters: [], live_dead_letters: [], total: 0, not_loaded: [], failure: null };

let loader: Server;
let answer: { status: number; body: unknown };
let asked: string | undefined;

beforeEach(async () => {
  loader = createServer((request, response) => {
    asked = request.url;
    response.writeHead(answer.status).end(JSON.stringify(answer.body));
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

const list = (runId?: string) => {
  const { port } = loader.address() as AddressInfo;
  return listDeadLetters({ environment: { LOADER_URL: `http://127.0.0.1:${port}` } }, runId);
};

test("those of the published run are asked for when none is named", async () => {
  answer = { status: 200, body: none };
  expect(await list()).toEqual(none);
  expect(asked).toBe("/dead-letters");
  await list("a.run");
  expect(asked).toBe("/dead-letters?run_id=a.run");
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
      },
    ],
    live_dead_letters: [{ partition: 2, offset: 40, reason: "not JSON", raw: "{" }],
    total: 5,
  };
  expect(deadLettersText(page).split("\n")).toEqual([
    "links.0123-v1.7",
    "  links.csv line 8: expected 3 cells, got 1",
    `  x ${"y".repeat(98)}`,
    "ratings-live.2.40",
    "  ratings-live partition 2 offset 40: not JSON",
    "  {",
    "… 3 more",
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
