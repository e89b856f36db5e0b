import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Random32 } from "../../scripts/random32.ts";
import { newUsersRatings } from "../kit/newUsersRatings.ts";
import { RatingPoster } from "../kit/ratingPoster.ts";

let server: Server;
/** The content of each request, in the order they came. */
let bodies: string[];
/** How the next requests are answered, one after the other; all others with 202. */
let answers: ((response: ServerResponse) => void)[];

beforeEach(async () => {
  bodies = [];
  answers = [];
  server = createServer(async (request, response) => {
    bodies.push(await text(request));
    const answer = answers.shift() ?? ((response) => response.writeHead(202).end("{}"));
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Posts a request in forty milliseconds until so many came. */
async function post(requests: number, patienceMilliseconds = 5_000) {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ratings`;
  const options = { batch: 2, intervalMilliseconds: 40, answerMilliseconds: 1_000, patienceMilliseconds };
  const poster = new RatingPoster(url, newUsersRatings(new Random32(1), [1, 2, 3]), options);
  const stop = new AbortController();
  const posting = poster.post(stop.signal);
  const enough = async () => {
    while (bodies.length < requests) await sleep(5);
    stop.abort();
  };
  await Promise.race([enough(), posting]);
  await posting;
  return poster;
}

test("no more go out in a time than the interval lets, and what was acknowledged is what was posted", async () => {
  const began = performance.now();
  const { acknowledged, refused, unanswered } = await post(10);
  // A timer may be early by a millisecond.
  expect(performance.now() - began).toBeGreaterThan(9 * 39);
  expect({ refused, unanswered }).toEqual({ refused: 0, unanswered: 0 });
  expect(acknowledged).toEqual(bodies.flatMap((body) => JSON.parse(body)));
});

test("what is refused for the moment, or has no answer, goes out again with the same content and is recorded once", async () => {
  answers = [
    (response) => response.writeHead(503, { "retry-after": "1" }).end("{}"),
    (response) => response.destroy(),
    // Of an answer that is late nobody knows.
    () => {},
  ];
  const { acknowledged, refused, unanswered } = await post(5);
  expect({ refused, unanswered }).toEqual({ refused: 1, unanswered: 2 });
  for (const body of bodies.slice(0, 3)) expect(bodies.filter((other) => other === body)).toHaveLength(2);
  const once = [...new Set(bodies)].flatMap((body) => JSON.parse(body));
  expect(acknowledged).toHaveLength(once.length);
  expect(new Set(acknowledged.map(({ timestamp }) => timestamp)).size).toBe(once.length);
});

test("what is never acknowledged is an error, and so is an answer that no client should see", async () => {
  answers = Array.from({ length: 100 }, () => (response: ServerResponse) => response.destroy());
  await expect(post(1, 100)).rejects.toThrow("2 ratings are not acknowledged");
  answers = [(response) => response.writeHead(500).end("why")];
  await expect(post(1)).rejects.toThrow("answered with 500: why");
});
