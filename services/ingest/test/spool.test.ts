import { execFile } from "node:child_process";
import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SliceMessage } from "../src/sliceEncoder.ts";
import { Spool } from "../src/spool.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "spool-"));
});
afterEach(() => rm(directory, { recursive: true }));

const message = (slice: number, bytes: number): SliceMessage => ({
  topic: "links",
  partition: 0,
  headers: { dataset: "links", load_id: "load", slice: String(slice), group: "0", rows: "1", last: "0" },
  value: Buffer.alloc(bytes, slice + 1),
});

async function all(messages: AsyncIterable<SliceMessage>): Promise<SliceMessage[]> {
  const found: SliceMessage[] = [];
  for await (const one of messages) found.push(one);
  return found;
}

async function spooled(messages: readonly SliceMessage[]): Promise<Spool> {
  const spool = await Spool.create(join(directory, "slices"));
  for (const one of messages) await spool.add(one);
  return spool;
}

test("messages come back whole, in the order they were added, also while more are added", async () => {
  const messages = [message(0, 3), message(1, 0), message(2, 70_000)];
  const spool = await spooled(messages);
  expect(await all(spool.messages())).toEqual(messages);
  await spool.add(message(3, 5));
  expect(await all(spool.messages())).toEqual([...messages, message(3, 5)]);
  await spool.close();
});

test("a file that has lost its end is an error, and not a message that ends in zeros", async () => {
  const spool = await spooled([message(0, 10), message(1, 10)]);
  await truncate(join(directory, "slices"), 15);
  const read = all(spool.messages());
  await expect(read).rejects.toMatchObject({ code: "spool_cut_short", retryable: true });
  await expect(read).rejects.toThrow("expected 20 bytes, found 15");
  await spool.close();
});

test("a disk that takes a part of a message fails the load", async () => {
  const script = `
    import { Spool } from ${JSON.stringify(new URL("../src/spool.ts", import.meta.url).href)};
    const spool = await Spool.create(${JSON.stringify(join(directory, "limited"))});
    await spool.add({ value: Buffer.alloc(100_000) });
    for (const next of [() => spool.add({ value: Buffer.alloc(1) }), () => spool.messages().next()]) {
      await next().then(() => console.log("taken"), ({ code }) => console.log(code));
    }
  `;
  const node = [process.execPath, "--import", "tsx", "--input-type=module", "-e", script];
  // A file that may not grow beyond 64 blocks takes as much of one write, and then nothing, as a full disk does.
  const { stdout } = await promisify(execFile)("sh", ["-c", 'ulimit -f 64 && exec "$@"', "sh", ...node]);
  expect(stdout.trim().split("\n")).toEqual(["EFBIG", "EFBIG"]);
}, 30_000);
