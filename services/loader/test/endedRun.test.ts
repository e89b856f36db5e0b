import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { expect, test } from "vitest";
import { hasEnded, tellLoading } from "../src/endedRun.ts";
import { lake, server } from "./memoryLake.ts";

const minute = 60 * 1000;
const now = Date.now();

async function putAt(key: string, minutesAgo: number, content: object = {}): Promise<void> {
  await lake.put(key, JSON.stringify(content));
  const kept = server.objects.get(key);
  if (kept) kept.modified = new Date(now - minutesAgo * minute);
}

const failAt = (minutesAgo: number, tried_again = false) =>
  putAt(lakeKeys.hop("r", "failure"), minutesAgo, { tried_again });

test("a run has ended when its failure is the last thing it wrote", async () => {
  await putAt(lakeKeys.hop("r", "warehouse"), 3);
  await putAt(lakeKeys.progress("r", "dbt"), 2);
  expect(await hasEnded(lake, "r", now)).toBe(false);
  await failAt(1);
  expect(await hasEnded(lake, "r", now)).toBe(true);
  await putAt(lakeKeys.hop("r-2", "warehouse"), 0);
  expect(await hasEnded(lake, "r", now)).toBe(true);
});

test("it has not while Airflow tries it again, or when somebody has it do so: it loads, or builds", async () => {
  await putAt(lakeKeys.hop("r", "warehouse"), 3);
  await failAt(2, true);
  expect(await hasEnded(lake, "r", now)).toBe(false);
  await failAt(2);
  await putAt(lakeKeys.progress("r", "dbt"), 1);
  expect(await hasEnded(lake, "r", now)).toBe(false);
  await failAt(0);
  expect(await hasEnded(lake, "r", now)).toBe(true);
  await failAt(1);
  await tellLoading(lake, "r", 5);
  expect(await hasEnded(lake, "r", now)).toBe(false);
});

test("one of which nobody heard for longer than a run takes has ended, whatever it said last", async () => {
  await failAt(24 * 60 - 1, true);
  expect(await hasEnded(lake, "r", now)).toBe(false);
  await failAt(24 * 60 + 1, true);
  expect(await hasEnded(lake, "r", now)).toBe(true);
});
