import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { ObjectStore } from "../src/objectStore.ts";

let server: Server | undefined;
let store: ObjectStore | undefined;
afterEach(async () => {
  store?.close();
  server?.closeAllConnections();
  server?.close();
});

/** A store that answers creations with these statuses in turn, the last one for all further; what it was sent. */
async function storeAnswering(...statuses: number[]): Promise<{ store: ObjectStore; received: string[] }> {
  const received: string[] = [];
  server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const status = statuses[Math.min(received.length, statuses.length - 1)] ?? 500;
    received.push(`${request.method} ${request.headers["if-none-match"]} ${body}`);
    const code = status === 409 ? "ConditionalRequestConflict" : "PreconditionFailed";
    response.writeHead(status).end(status === 200 ? "" : `<Error><Code>${code}</Code></Error>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("no port to listen on");
  store = new ObjectStore({
    S3_ENDPOINT: `http://127.0.0.1:${address.port}`,
    S3_REGION: "us-east-1",
    S3_BUCKET: "lake",
    S3_ACCESS_KEY: "key",
    S3_SECRET_KEY: "secret",
  });
  return { store, received };
}

const sent = "PUT * content";

test("an object that exists is not written over, and that is an answer", async () => {
  const { store, received } = await storeAnswering(412);
  expect(await store.create("key", "content")).toBe(false);
  expect(received).toEqual([sent]);
});

test("a conflict with another operation on the key is tried again, whole, until it is told how that one ended", async () => {
  const { store, received } = await storeAnswering(409, 409, 200);
  expect(await store.create("key", "content")).toBe(true);
  expect(received).toEqual([sent, sent, sent]);
});

test("of two that create one key at once, the one that has the conflict finds the other's object", async () => {
  const { store, received } = await storeAnswering(409, 412);
  expect(await store.create("key", Buffer.from("content"))).toBe(false);
  expect(received).toEqual([sent, sent]);
});

test("a conflict that does not end is an error and never taken for an object that exists", async () => {
  const { store, received } = await storeAnswering(409);
  await expect(store.create("key", "content")).rejects.toMatchObject({ name: "ConditionalRequestConflict" });
  expect(received).toHaveLength(6);
});
