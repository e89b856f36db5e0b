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

test("a box that does not run is refused: its peak would be nothing", async () => {
  await expect(watchMemory({ memory: async () => new Map() })).rejects.toThrow("start it with ./box up");
});
