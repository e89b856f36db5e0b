import { beforeEach, expect, test } from "vitest";
import { Bronze } from "../src/bronze.ts";
import type { Slice } from "../src/openGroups.ts";
import { sealLoad } from "../src/seal.ts";
import { quietLog } from "./engines.ts";
import { type MadeLoad, makeLoad, putManifest } from "./loads.ts";
import { lake, server } from "./memoryLake.ts";

let bronze: Bronze;
let load: MadeLoad;
beforeEach(async () => {
  bronze = new Bronze(lake, quietLog);
  load = makeLoad("links", "full", [3], [1]);
  await putManifest(lake, load);
});

const job = { signal: new AbortController().signal, progress: () => {} };
const seal = () =>
  sealLoad(
    { lake, bronze, consumerFault: () => undefined, hasUnread: async () => true, idleMilliseconds: 300 },
    { run_id: "run", dataset: "links", load_id: load.load_id },
    job,
  );

/** The load's only slice, as it lies on its topic. */
function slice(): Slice {
  const [made] = load.slices;
  if (!made) throw new Error("no slice");
  return { ...made, dataset: load.dataset, load_id: load.load_id, offset: 0n, timestamp: 0 };
}
const letters = (): Slice => ({ ...slice(), rows: 1, value: Buffer.from(`${load.slices[0]?.deadLetters[0]}\n`) });

test("a load that a full lake does not take says so, with the remedy that helps, until the lake takes it", async () => {
  await bronze.writeDeadLetters(letters());
  server.state.isFull = true;
  await expect(bronze.writeGroup([slice()])).rejects.toThrow("XMinioStorageFull");
  expect(bronze.lastRefusal).toMatchObject({ code: "disk_full" });
  const refused = seal();
  await expect(refused).rejects.toMatchObject({ code: "load_incomplete", retryable: false });
  await expect(refused).rejects.toThrow(
    /missing are group 0 .*The lake does not take it: the lake's disk has no space left .*Free space there/,
  );
  await expect(refused).rejects.not.toThrow("--full-refresh");

  server.state.isFull = false;
  await bronze.writeGroup([slice()]);
  expect(bronze.lastRefusal).toBeUndefined();
  expect(await seal()).toMatchObject({ rows: 3, dead_letters: 1 });
}, 20_000);

test("what a full lake does not take comes again and again, and does not keep a seal waiting", async () => {
  server.state.isFull = true;
  await expect(bronze.writeGroup([slice()])).rejects.toThrow("XMinioStorageFull");
  const again = setInterval(() => bronze.arrived(load), 50);
  await expect(seal()).rejects.toMatchObject({ code: "load_incomplete" });
  clearInterval(again);
}, 20_000);

test("a load of which nothing comes, and which the lake did not refuse, is to be run again", async () => {
  await expect(seal()).rejects.toMatchObject({
    code: "load_incomplete",
    retryable: true,
    message: expect.stringContaining("Run again; if it stays so, with --full-refresh"),
  });
});

test("a group that could not be written is forgiven when its slices come again", async () => {
  bronze.fail(slice(), new Error("not Arrow"));
  await expect(seal()).rejects.toMatchObject({ code: "bad_slice", message: expect.stringContaining("not Arrow") });
  bronze.retry(slice());
  await bronze.writeDeadLetters(letters());
  await bronze.writeGroup([slice()]);
  expect(await seal()).toMatchObject({ rows: 3 });
});

test("nor does it refuse a load whose slices are still coming", async () => {
  bronze.fail(slice(), new Error("not Arrow"));
  const sealed = seal();
  const coming = setInterval(() => bronze.arrived(load), 50);
  await new Promise((resolve) => setTimeout(resolve, 600));
  clearInterval(coming);
  await bronze.writeDeadLetters(letters());
  await bronze.writeGroup([slice()]);
  bronze.arrived(load);
  expect(await sealed).toMatchObject({ rows: 3 });
});
