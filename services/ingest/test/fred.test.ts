import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fredSource } from "../src/sources/fred.ts";
import { excerptText } from "./editions.ts";
import { patientContext } from "./engines.ts";
import { file, type HttpSource, httpSource, status } from "./httpSource.ts";

const csv = await excerptText("CPIAUCSL.csv");
const hasty = {
  failures: 4,
  firstDelayMilliseconds: 1,
  longestDelayMilliseconds: 5,
  longestRetryAfterMilliseconds: 1_000,
};

let directory = "";
let server: HttpSource | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "fred-"));
});
afterEach(async () => {
  await server?.close();
  await rm(directory, { recursive: true });
});

async function fred(...answers: Parameters<typeof httpSource>) {
  server = await httpSource(...answers);
  return fredSource({ FRED_URL: server.url, WORK_DIR: directory }, hasty);
}

test("the index comes as it is, through failures that pass, and leaves nothing behind", async () => {
  const content = Buffer.from(csv);
  const source = await fred(status(500), file({ content, cutAfter: 5_000 }), file({ content }));
  const found = await source.open("cpi", patientContext());
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.content) chunks.push(chunk);
  expect(found.name).toBe("CPIAUCSL.csv");
  expect(Buffer.concat(chunks).toString()).toBe(csv);
  expect(await readdir(join(directory, "fred"))).toEqual([]);
});

test("its fingerprint is the content's hash where the server sends no tag", async () => {
  const { signal } = new AbortController();
  const source = await fred(file({ content: Buffer.from(csv) }));
  const sha256 = createHash("sha256").update(csv).digest("hex");
  expect(await source.fingerprint("cpi", undefined, signal)).toEqual({ content: sha256, quick: sha256 });
});
