import RequestQueue from "kafkajs/src/network/requestQueue/index.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { quietRequestQueue } from "../src/quietRequestQueue.ts";

quietRequestQueue();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const logger = { debug: () => {} };
const emptyQueue = () =>
  new RequestQueue({ clientId: "test", broker: "127.0.0.1:9092", logger, maxInFlightRequests: 1 });

test("a connection without requests sets no timer", () => {
  emptyQueue().checkPendingRequests();
  expect(vi.getTimerCount()).toBe(0);
});

test("a request that a broker has wait is sent when its throttling ends, and no timer is left", () => {
  const queue = emptyQueue();
  const sent: number[] = [];
  queue.throttledUntil = Date.now() + 500;
  queue.pending.push({ send: () => sent.push(Date.now()), expectResponse: true });
  queue.checkPendingRequests();
  vi.advanceTimersByTime(499);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(20);
  expect(sent).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});
