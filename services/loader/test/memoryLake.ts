import { afterAll, beforeEach } from "vitest";
import { s3Server } from "../../../platform/test/s3Server.ts";

/** A store in memory, of the test file that imports it; each test finds it empty, and taking what it is given. */
export const server = await s3Server();
export const lake = server.store;

beforeEach(() => {
  server.objects.clear();
  server.state.isFull = false;
});
afterAll(() => server.close());
