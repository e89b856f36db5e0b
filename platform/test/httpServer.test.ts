import { PassThrough } from "node:stream";
import { HttpError } from "@boxoffice/platform/httpError";
import { httpServer } from "@boxoffice/platform/httpServer";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { pino } from "pino";
import { expect, test } from "vitest";
import { z } from "zod";

/** What a route that throws is answered with, and what is logged of it. */
async function answerTo(thrown: unknown) {
  const lines = new PassThrough();
  const server = httpServer({ log: pino(lines), notReady: async () => [] });
  server.get("/", () => {
    throw thrown;
  });
  const answer = await server.inject("/");
  await server.close();
  return { status: answer.statusCode, error: answer.json().error, logged: String(lines.read() ?? "") };
}

test("a request that breaks its schema is the client's fault, with the issues, and not logged", async () => {
  const { error: broken } = z.object({ rating: z.number() }).safeParse({ rating: "4" });
  expect(await answerTo(broken)).toMatchObject({
    status: 400,
    error: { code: "bad_request", issues: [{ path: "rating" }], retryable: false },
    logged: "",
  });
});

test("a refusal is answered with 409 and its code, and not logged", async () => {
  expect(await answerTo(new ServiceError("gate_refused", "the sums do not agree"))).toMatchObject({
    status: 409,
    error: { code: "gate_refused", message: "the sums do not agree", retryable: false },
    logged: "",
  });
});

test.each([
  ["what nobody foresaw", 500, "unexpected", new Error("why")],
  ["a full disk", 507, "disk_full", Object.assign(new Error("why"), { code: "ENOSPC" })],
  ["a fault of the service's own", 500, "bad_answers", new HttpError(500, "bad_answers", "why")],
])("%s is answered as such and logged with its reason", async (_what, status, code, thrown) => {
  const answer = await answerTo(thrown);
  expect(answer).toMatchObject({ status, error: { code } });
  expect(JSON.parse(answer.logged)).toMatchObject({
    msg: "request failed",
    error: { code, message: expect.stringContaining("why") },
  });
});

test("a broker that is away is told to the client with the time to wait, and fills no log", async () => {
  const away = new HttpError(503, "kafka_unavailable", "later", { retryAfterSeconds: 5 });
  expect(await answerTo(away)).toMatchObject({ status: 503, error: { retryable: true }, logged: "" });
});

test("rows of the warehouse that an error carries are not logged", async () => {
  const thrown = Object.assign(new Error("duplicate key"), { code: "23505", detail: "Key (user_id)=(7) exists." });
  expect((await answerTo(thrown)).logged).not.toContain("user_id");
});
