import { expect, test } from "vitest";
import { unmetCriteria } from "../../scripts/live/criteria.ts";
import { liveLine, liveText } from "../../scripts/live/liveText.ts";
import { Tally } from "../../scripts/live/tally.ts";
import { Times } from "../../scripts/live/times.ts";

test("percentiles are those of the durations, to three figures, and none is told without one", () => {
  const times = new Times();
  expect(times.report()).toBeNull();
  for (let milliseconds = 1; milliseconds <= 1_000; milliseconds += 1) times.add(milliseconds);
  const { p50 = 0, p99 = 0, max = 0 } = times.report() ?? {};
  expect(Math.abs(p50 - 500)).toBeLessThan(2);
  expect(Math.abs(p99 - 990)).toBeLessThan(2);
  expect(Math.abs(max - 1_000)).toBeLessThan(2);
});

test("a rating that was acknowledged and not seen is missing, and the report says so", () => {
  const tally = new Tally();
  tally.sent = 3;
  tally.acknowledge(4);
  tally.acknowledge(5);
  tally.refuse("503");
  tally.see(80);
  const report = tally.report();
  expect(report).toMatchObject({ sent: 3, acknowledged: 2, refused: { "503": 1 }, visible: 1, missing: 1, doubled: 0 });
  expect(liveText(report)).toMatch(/refused +1 with 503\nvisible +1, after p50 80 ms.*\nmissing +1\n/);
});

test("the report says what was not sent and why, and the line of the progress that something was not", () => {
  const tally = new Tally();
  tally.sent = 20;
  expect(liveText(tally.report())).toMatch(/not sent +0\n/);
  expect(liveLine(tally.report())).not.toMatch(/not sent|refused/);
  tally.leaveOut("no_movie_free", 40_000);
  tally.leaveOut("unanswered", 2);
  tally.leaveOut("no_movie_free", 1);
  tally.refuse("503");
  const report = tally.report();
  expect(report.not_sent).toEqual({ no_movie_free: 40_001, unanswered: 2 });
  expect(liveText(report)).toMatch(/not sent +40,001 with no movie free: .*; 2 with too many requests unanswered\n/);
  expect(liveLine(report)).toMatch(/1 refused {2}40,003 not sent$/);
});

test("a p99 or a rate beyond what is asked for is told, each by a line; without being asked for neither is", () => {
  const tally = new Tally();
  tally.sent = 599;
  const none = tally.report();
  expect(unmetCriteria(none, 60, {})).toEqual([]);
  expect(unmetCriteria(none, 60, { p99: 1_000, leastRate: 10 })).toEqual([
    "not visible in time: none was visible, at most 1000 ms were asked for",
    "not sent fast enough: 9.98 ratings/s, at least 10 were asked for",
  ]);
  tally.sent = 600;
  for (let ratings = 0; ratings < 99; ratings += 1) tally.see(80);
  tally.see(2_000);
  expect(unmetCriteria(tally.report(), 60, { p99: 1_000, leastRate: 10 })).toEqual([]);
  tally.see(2_000);
  expect(unmetCriteria(tally.report(), 60, { p99: 1_000 })).toEqual([
    expect.stringMatching(/^not visible in time: p99 is (1999|200\d) ms, at most 1000 ms were asked for$/),
  ]);
});
