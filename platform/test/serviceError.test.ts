import { open } from "node:fs/promises";
import { S3ServiceException } from "@aws-sdk/client-s3";
import pg from "pg";
import { expect, test } from "vitest";
import { ServiceError } from "../src/serviceError.ts";

const storeSays = (name: string, httpStatusCode: number, message: string) =>
  new S3ServiceException({ name, message, $fault: "server", $metadata: { httpStatusCode } });

const full = new pg.DatabaseError('could not extend file "base/5/1": No space left on device', 1, "error");
full.code = "53100";

test.each([
  [
    "the lake's disk",
    storeSays("XMinioStorageFull", 507, "Storage backend has reached its minimum free drive threshold."),
  ],
  ["the lake's disk", storeSays("InternalError", 500, "No space left on device")],
  ["the warehouse's disk", full],
  ["the warehouse's disk", new Error("the copy failed", { cause: full })],
  [
    "the disk of /data/x",
    Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC", path: "/data/x" }),
  ],
])("%s being full is one error that says so and what to do, and is not tried again", (disk, thrown) => {
  const error = ServiceError.from(thrown);
  expect(error).toMatchObject({ code: "disk_full", retryable: false, cause: thrown });
  expect(error.message).toMatch(`${disk} has no space left (`);
  expect(error.message).toContain("Free space there, then run again; what was published stays");
});

test.skipIf(process.platform !== "linux")("so is what Node itself says of one", async () => {
  const file = await open("/dev/full", "r+");
  const refused = file.writeFile("text").finally(() => file.close());
  expect(ServiceError.from(await refused.catch((thrown: unknown) => thrown))).toMatchObject({ code: "disk_full" });
});

test("what nobody foresaw is unexpected and may be tried again, and a ServiceError stays as it is", () => {
  const store = storeSays("InternalError", 500, "We encountered an internal error. Please try again.");
  expect(ServiceError.from(store)).toMatchObject({ code: "unexpected", retryable: true });
  expect(ServiceError.from(store).message).toMatch(
    /lake's S3 server failed \(HTTP 500, InternalError: .*disk may be full/,
  );
  expect(ServiceError.from("text")).toMatchObject({ code: "unexpected", message: "text" });
  const known = new ServiceError("known", "message", { cause: full });
  expect(ServiceError.from(known)).toBe(known);
});
