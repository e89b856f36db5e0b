import { createHash } from "node:crypto";
import { basename } from "node:path";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { loadManifest } from "@boxoffice/contracts/loadManifest";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FaultyStore, noFaults } from "../../../test/kit/faultyStore.ts";
import { type LoadResult, load } from "../src/load.ts";
import { editionOf, uniqueLinks } from "./editions.ts";
import { type Engines, engine, patientContext, startEngines, storeOf } from "./engines.ts";

const seed = Number(process.env.FAULT_SEED ?? 20261124);
let engines: Engines;
let proxy: FaultyStore;
let store: ObjectStore;
beforeAll(async () => {
  engines = await startEngines();
  proxy = await FaultyStore.before(engine("TEST_S3_ENDPOINT"), seed);
  store = storeOf(engines.bucket, proxy.endpoint);
});
beforeEach(() => {
  proxy.faults = noFaults;
  proxy.failed = 0;
});
afterAll(async () => {
  store?.close();
  await proxy?.close();
  await engines?.close();
});

const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const request = (edition: string) =>
  ({ run_id: basename(edition), dataset: "links", edition, full_refresh: false }) as const;
const loadFaulty = (edition: string) => load(request(edition), { ...engines.loads, store }, patientContext());

/** The bytes, the manifest and the slices of a load are there as one undisturbed load would leave them. */
async function expectWhole({ load_id, rows }: LoadResult, text: string, slices: number): Promise<void> {
  const manifest = await engines.store.json(lakeKeys.manifest("links", load_id), loadManifest);
  expect(manifest).toMatchObject({ sha256: sha256(text), source_rows: rows, rows, dead_letters: 0, slices });
  expect(sha256((await engines.store.bytes(manifest?.key ?? "")) ?? "")).toBe(sha256(text));
  const published = await engines.published("links", load_id);
  const bySlice = new Map(published.map(({ headers, value }) => [headers.slice, `${headers.rows} ${sha256(value)}`]));
  expect([...bySlice.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: slices }, (_none, at) => at));
  // What was published again is the same.
  expect(new Set(published.map(({ headers, value }) => `${headers.slice} ${headers.rows} ${sha256(value)}`)).size).toBe(
    slices,
  );
}

test(`a store that is slow and fails every second time: the load says so or is whole, and again it is whole (FAULT_SEED=${seed})`, async () => {
  // Two parts, so that an upload may fail between them and at its end.
  const text = uniqueLinks(40_000, 7);
  const edition = await editionOf(engines.workDirectory, { "links.csv": text });
  proxy.faults = { refused: 250, lost: 250, milliseconds: 20 };
  const reasons: string[] = [];
  let result: LoadResult | undefined;
  while (!result && reasons.length < 30) {
    result = await loadFaulty(edition).catch((thrown: unknown) => {
      const error = ServiceError.from(thrown);
      expect(error.retryable, error.message).toBe(true);
      reasons.push(error.message);
      return undefined;
    });
  }
  if (!result) throw new Error(`not loaded in 30 tries: ${reasons.join("\n")}`);
  expect(proxy.failed).toBeGreaterThan(5);
  expect(result).toMatchObject({ rows: 40_000, already: false });
  await expectWhole(result, text, 3);
}, 120_000);

test("a store that fails always: the load names it, leaves no manifest, and the same again is whole", async () => {
  const text = uniqueLinks(20_000);
  const edition = await editionOf(engines.workDirectory, { "links.csv": text });
  proxy.faults = { ...noFaults, refused: 1000 };
  const thrown: unknown = await loadFaulty(edition).catch((error: unknown) => error);
  expect(ServiceError.from(thrown)).toMatchObject({
    retryable: true,
    message: expect.stringContaining("the lake's S3 server failed (HTTP 503, SlowDown: made by the test)"),
  });
  for await (const { key } of engines.store.list("raw/links/")) {
    expect(await engines.store.bytes(key)).not.toEqual(Buffer.from(text));
  }
  proxy.faults = noFaults;
  await expectWhole(await loadFaulty(edition), text, 2);
});
