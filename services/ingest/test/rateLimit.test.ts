import { expect, test } from "vitest";
import { RateLimit } from "../src/rateLimit.ts";

test("a burst is let in, then only as many per second, and what is refused is told when to come again", () => {
  let now = 0;
  const limit = new RateLimit(100, 200, () => now);
  expect(limit.take(200)).toBe(0);
  expect(limit.take(50)).toBe(0.5);
  now += 400;
  expect(limit.take(50)).toBeCloseTo(0.1);
  now += 100;
  expect(limit.take(50)).toBe(0);
  expect(limit.take(1)).toBeGreaterThan(0);
});

test("a pause saves up no more than one burst", () => {
  let now = 0;
  const limit = new RateLimit(100, 200, () => now);
  now += 3_600_000;
  expect(limit.take(201)).toBeGreaterThan(0);
  expect(limit.take(200)).toBe(0);
});
