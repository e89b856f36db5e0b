import { runId } from "@boxoffice/contracts/job";
import { loadId } from "@boxoffice/contracts/loadId";
import { expect, test } from "vitest";

test.each(["20261123-195000-1f2e", "watch-0123456789abcdef", "a.b_c", "x".repeat(100)])("%s is a run id", (id) => {
  expect(runId.safeParse(id).success).toBe(true);
});

test.each(["", ".", "..", "a..b", "a/b", "a b", "x".repeat(101)])("%j is no run id: it is a part of keys", (id) => {
  expect(runId.safeParse(id).success).toBe(false);
});

test.each(["0123456789abcdef-v2", "0123456789abcdef-v12-89abcdef"])("%s is a load id", (id) => {
  expect(loadId.safeParse(id).success).toBe(true);
});

test.each(["", "x", "0123456789abcdef", "0123456789abcdef-v2/../x", "0123456789ABCDEF-v2", "0123456789abcdef-v2-89"])(
  "%j is no load id: it is a part of keys",
  (id) => {
    expect(loadId.safeParse(id).success).toBe(false);
  },
);
