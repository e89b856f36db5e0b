import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { afterAll, beforeEach, expect, test } from "vitest";
import { s3Server } from "../../platform/test/s3Server.ts";
import { type KnownReports, readHops } from "../../scripts/pipeline/hopReports.ts";

const server = await s3Server();
afterAll(() => server.close());
beforeEach(() => server.reads.splice(0));

const silver = lakeKeys.hop("r1", "silver");
const report = (seconds: number) =>
  JSON.stringify({ hop: "silver", run_id: "r1", started_at: "2026-11-24T12:00:00Z", seconds, rows: {} });

test.each([
  ["once, and again when it is another", true, [silver, silver]],
  ["each time where the store tells no ETags", false, [silver, silver, silver]],
])("whoever follows a run reads a report %s", async (_when, tellsEtags, reads) => {
  server.state.tellsEtags = tellsEtags;
  const known: KnownReports = new Map();
  const seconds = async () => (await readHops(server.store, "r1", known)).map((hop) => hop.seconds);
  await server.store.put(silver, report(1));
  expect(await seconds()).toEqual([1]);
  expect(await seconds()).toEqual([1]);
  await server.store.put(silver, report(2));
  expect(await seconds()).toEqual([2]);
  expect(server.reads).toEqual(reads);
});
