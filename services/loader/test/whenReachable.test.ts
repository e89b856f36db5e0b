import { ServiceError } from "@boxoffice/platform/serviceError";
import { expect, test } from "vitest";
import { whenReachable } from "../src/whenReachable.ts";
import { quietLog } from "./engines.ts";

/** Work that fails as told, once each, and then succeeds. */
function failing(...errors: Error[]) {
  let calls = 0;
  const work = async () => {
    calls += 1;
    const error = errors.shift();
    if (error) throw error;
  };
  return { work, calls: () => calls };
}

test("what may come yet is waited for, also where a service's own error says so", async () => {
  const { work, calls } = failing(new Error("refused"), new ServiceError("no_leader", "wait", { retryable: true }));
  await whenReachable("Kafka", work, quietLog);
  expect(calls()).toBe(3);
});

test("what will never come, or finds a full disk, is an error at once", async () => {
  const full = Object.assign(new Error("could not extend file"), { code: "53100" });
  for (const error of [new ServiceError("changed_migration", "another file"), full]) {
    const { work, calls } = failing(error);
    await expect(whenReachable("the warehouse", work, quietLog)).rejects.toBe(error);
    expect(calls()).toBe(1);
  }
});
