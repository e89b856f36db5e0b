import fc from "fast-check";
import { expect, test } from "vitest";
import { OpenGroups, type Slice } from "../src/openGroups.ts";

const sliceCount = 20;

function sliceAt(offset: number, load: string, number: number): Slice {
  return {
    dataset: "ratings",
    load_id: load,
    slice: number,
    group: Math.floor(number / 16),
    rows: 1,
    last: number === sliceCount - 1,
    offset: BigInt(offset),
    timestamp: 0,
    value: new Uint8Array(),
  };
}

const arrivals = fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 0, max: sliceCount - 1 })), {
  maxLength: 300,
});

test("in whatever order and however often slices come, what may be committed is in a closed group", () => {
  fc.assert(
    fc.property(arrivals, (slices) => {
      const open = new OpenGroups(1000);
      const closed = new Set<string>();
      const keyOf = ({ load_id, group }: Slice) => `${load_id}/${group}`;
      const past: Slice[] = [];
      for (const [offset, [load, number]] of slices.entries()) {
        const slice = sliceAt(offset, load, number);
        past.push(slice);
        if (!closed.has(keyOf(slice))) {
          const complete = open.add(slice);
          if (complete) {
            const from = slice.group * 16;
            const numbers = Array.from({ length: Math.min(16, sliceCount - from) }, (_none, at) => from + at);
            expect(complete.map((each) => each.slice)).toEqual(numbers);
            open.close(slice);
            closed.add(keyOf(slice));
          }
        }
        const safe = open.firstOffset() ?? BigInt(offset + 1);
        for (const before of past) if (before.offset < safe) expect(closed).toContain(keyOf(before));
      }
    }),
    { numRuns: 200 },
  );
});

test("only a group of another load that has had nothing for long is dropped", () => {
  const open = new OpenGroups(1000);
  open.add(sliceAt(0, "old", 0));
  open.add({ ...sliceAt(1, "recent", 0), timestamp: 500 });
  const dropped = open.dropAbandoned({ ...sliceAt(2, "new", 0), timestamp: 1000 });
  expect(dropped.map(({ load_id }) => load_id)).toEqual(["old"]);
  expect(open.firstOffset()).toBe(1n);
  expect(open.dropAbandoned({ ...sliceAt(3, "recent", 1), timestamp: 9000 })).toEqual([]);
});
