import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { ObjectStore } from "../src/objectStore.ts";
import { ServiceError } from "../src/serviceError.ts";

let server: Server | undefined;
let store: ObjectStore | undefined;
afterEach(() => {
  store?.close();
  server?.closeAllConnections();
  server?.close();
});

/** A store that sends no more than the beginning of an answer, if that. */
async function stalledStore(beginning: string): Promise<ObjectStore> {
  server = createServer((_request, response) => {
    if (beginning === "") return;
    response.writeHead(200, { "content-length": beginning.length + 1 });
    response.write(beginning);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("no port to listen on");
  const settings = {
    S3_ENDPOINT: `http://127.0.0.1:${address.port}`,
    S3_REGION: "us-east-1",
    S3_BUCKET: "lake",
    S3_ACCESS_KEY: "key",
    S3_SECRET_KEY: "secret",
  };
  store = new ObjectStore(settings, 100);
  return store;
}

test("a store that never answers is an error for whoever reads or writes", async () => {
  const stalled = await stalledStore("");
  await expect(stalled.bytes("key")).rejects.toMatchObject({ name: "TimeoutError" });
  await expect(stalled.put("key", Buffer.alloc(8 << 20))).rejects.toMatchObject({ name: "TimeoutError" });
  expect(await stalled.isReachable()).toBe(false);
}, 30_000);

test("so is one that stops in the middle of an object", async () => {
  const stalled = await stalledStore("begun");
  await expect(stalled.bytes("key")).rejects.toMatchObject({ name: "TimeoutError" });
}, 30_000);

test("one that does not run is told by its name with what to do, and the same again may help", async () => {
  const gone = await stalledStore("");
  server?.close();
  const told = ServiceError.from(await gone.bytes("key").catch((error: unknown) => error));
  expect(told).toMatchObject({ code: "unexpected", retryable: true });
  expect(told.message).toMatch(
    /^the lake's S3 server did not answer \(connect ECONNREFUSED .*\.\/box up, and run again/,
  );
});
