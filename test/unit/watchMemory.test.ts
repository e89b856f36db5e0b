import { expect, test } from "vitest";
import { watchMemory } from "../../scripts/watchMemory.ts";

const mebibyte = 1 << 20;

test("a sample that fails ends neither the watch nor the command: a container may vanish while it is measured", async () => {
  const samples: (number | Error)[] = [100, new Error("No such container"), 300, 200];
  const memory = async () => {
    const next = samples.shift() ?? 0;
    if (next instanceof Error) throw next;
    return new Map([["loader", next * mebibyte]]);
  };
  const watch = await watchMemory({ memory }, 1);
  await expect.poll(() => samples).toEqual([]);
  watch.stop();
  expect([watch.peak(), watch.peakByService()]).toEqual([300, { loader: 300 }]);
});

test("of a period the peaks are those of its samples; one without a sample has none", async () => {
  const samples = [
    new Map([["loader", 100 * mebibyte]]),
    new Map([
      ["loader", 50 * mebibyte],
      ["kafka", 20 * mebibyte],
    ]),
  ];
  let second = 0;
  const memory = async () => {
    const sample = samples.shift();
    if (sample && samples.length === 0) second = Date.now();
    return sample ?? new Map([["loader", 10 * mebibyte]]);
  };
  const begin = Date.now();
  const watch = await watchMemory({ memory }, 20);
  await expect.poll(() => second).toBeGreaterThan(0);
  await expect.poll(() => watch.peak({ from: second, to: Date.now() })).toBe(70);
  watch.stop();
  expect(watch.peakByService({ from: second, to: Date.now() })).toEqual({ loader: 50, kafka: 20 });
  expect(watch.peak()).toBe(100);
  expect(watch.peak({ from: begin - 2_000, to: begin - 1_000 })).toBeUndefined();
});

test("a box that does not run is refused: its peak would be nothing", async () => {
  await expect(watchMemory({ memory: async () => new Map() })).rejects.toThrow("start it with ./box up");
});
