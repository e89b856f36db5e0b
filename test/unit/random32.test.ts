import { expect, test } from "vitest";
import { Random32 } from "../../scripts/random32.ts";

const drawn = (seed: number) => {
  const random = new Random32(seed);
  return Array.from({ length: 10_000 }, () => random.below(10));
};

test("the same seed draws the same numbers, another seed others, and they spread evenly from 0 up to the end", () => {
  expect(drawn(1)).toEqual(drawn(1));
  expect(drawn(1)).not.toEqual(drawn(2));
  const counts = Array.from({ length: 10 }, () => 0);
  for (const number of drawn(1)) counts[number] = (counts[number] ?? 0) + 1;
  expect(counts).toHaveLength(10);
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});
