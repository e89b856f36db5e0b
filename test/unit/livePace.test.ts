import { expect, test } from "vitest";
import { Pace } from "../../scripts/live/pace.ts";

test("what is due follows the clock, less what is settled, and ends with the time", () => {
  const pace = new Pace({ rate: 40, seconds: 25, batch: 1 });
  expect(pace.due(0)).toBe(0);
  expect(pace.due(1.99)).toBe(79);
  pace.settle(70);
  expect(pace.due(2)).toBe(10);
  expect(pace.isOver(24.9)).toBe(false);
  expect(pace.isOver(25)).toBe(true);
  expect(pace.due(1_000)).toBe(930);
});

test("a short stall is caught up with, the rest of a long one is overdue", () => {
  const pace = new Pace({ rate: 10, seconds: Number.POSITIVE_INFINITY, batch: 1 });
  expect(pace.overdue(10)).toBe(0);
  expect(pace.due(3_600) - pace.overdue(3_600)).toBe(101);
  expect(pace.isOver(3_600)).toBe(false);
});

test("ratings that gather for a large batch are not overdue", () => {
  const pace = new Pace({ rate: 10, seconds: 600, batch: 1_000 });
  expect(pace.due(100)).toBe(1_000);
  expect(pace.overdue(100)).toBe(0);
});
