import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import { type LiveRating, liveRating, mostRatingsPosted } from "@boxoffice/contracts/liveRating";
import { partitions } from "@boxoffice/contracts/slice";
import { Jobs } from "@boxoffice/platform/jobs";
import type { FastifyInstance } from "fastify";
import type { Consumer, Kafka } from "kafkajs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ingestServer } from "../src/http.ts";
import { LivePublisher, liveKafka } from "../src/livePublisher.ts";
import { RateLimit } from "../src/rateLimit.ts";
import { type Engines, engine, quiet, startEngines } from "./engines.ts";
import { listen } from "./httpSource.ts";

const topic = `live-${randomUUID()}`;
const groupId = `live-test-${randomUUID()}`;
const found: { partition: number; rating: LiveRating }[] = [];
const servers: FastifyInstance[] = [];

let engines: Engines;
let kafka: Kafka;
let consumer: Consumer;
let publisher: LivePublisher;

beforeAll(async () => {
  engines = await startEngines();
  kafka = liveKafka(engine("TEST_KAFKA_BROKERS").split(","), quiet);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: false });
  await vi.waitUntil(() => admin.fetchTopicOffsets(topic).then(Boolean, () => false), { timeout: 20_000 });
  await admin.disconnect();
  consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      found.push({ partition, rating: liveRating.parse(JSON.parse(String(message.value))) });
    },
  });
  publisher = new LivePublisher(kafka, topic);
});

afterAll(async () => {
  for (const server of servers) await server.close();
  await publisher?.close();
  await consumer?.disconnect();
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
  await engines?.close();
});

function serve(rateLimit = new RateLimit(10_000, 10_000), to: Pick<LivePublisher, "append"> = publisher) {
  const server = ingestServer({
    jobs: new Jobs(quiet),
    loads: engines.loads,
    live: { publisher: to, rateLimit },
    log: quiet,
    notReady: async () => [],
  });
  servers.push(server);
  return (payload: object | string) =>
    server.inject({ method: "POST", url: "/ratings", payload, headers: { "content-type": "application/json" } });
}

const ofUser = (user: number) => found.filter(({ rating }) => rating.user_id === user);
const rated = (user_id: number, movie_id: number) => ({ user_id, movie_id, rating: 3.5, timestamp: 100 });

test("what is acknowledged is in Kafka, one or many, with the time of its arrival where it has none", async () => {
  const post = serve();
  const before = Math.floor(Date.now() / 1000);
  const one = await post({ user_id: 1, movie_id: 31, rating: 4 });
  expect([one.statusCode, one.json()]).toEqual([202, { accepted: 1 }]);
  const many = Array.from({ length: mostRatingsPosted }, (_none, at) => rated(2, at + 1));
  expect((await post(many)).json()).toEqual({ accepted: mostRatingsPosted });
  await vi.waitUntil(() => found.length >= mostRatingsPosted + 1, { timeout: 20_000 });
  const [first] = ofUser(1);
  expect(first?.rating).toMatchObject({ movie_id: 31, rating: 4 });
  expect(first?.rating.timestamp).toBeGreaterThanOrEqual(before);
  expect(ofUser(2).map(({ rating }) => rating)).toEqual(many);
});

test("ratings that are posted at once by many go together, and each user's stay in order on one partition", async () => {
  const post = serve();
  const answers = await Promise.all(
    Array.from({ length: 400 }, (_none, at) => post(rated(100 + (at % 40), Math.floor(at / 40) + 1))),
  );
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([202]));
  const users = Array.from({ length: 40 }, (_none, at) => 100 + at);
  await vi.waitUntil(() => users.every((user) => ofUser(user).length === 10), { timeout: 20_000 });
  for (const user of users) {
    expect(new Set(ofUser(user).map(({ partition }) => partition)).size).toBe(1);
    expect(ofUser(user).map(({ rating }) => rating.movie_id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  }
  expect(new Set(users.flatMap((user) => ofUser(user).map(({ partition }) => partition))).size).toBe(partitions);
});

test("a batch with one bad rating is refused whole, with every issue, and nothing of it is in Kafka", async () => {
  const post = serve();
  const answer = await post([rated(200, 1), { ...rated(200, 2), rating: 9, user_id: "x" }]);
  expect(answer.statusCode).toBe(400);
  expect(answer.json().error).toMatchObject({
    code: "bad_request",
    retryable: false,
    issues: [
      { path: "1.user_id", message: "Invalid input: expected number, received string" },
      { path: "1.rating", message: "expected a number from 0.5 to 5, got '9'" },
    ],
  });
  for (const payload of ["", "{", "null", "[]", "7", JSON.stringify(Array(mostRatingsPosted + 1).fill(rated(200, 1)))])
    expect((await post(payload)).statusCode).toBe(400);
  // Whatever had been let through before this one would be there by now.
  await post(rated(201, 1));
  await vi.waitUntil(() => ofUser(201).length === 1, { timeout: 20_000 });
  expect(ofUser(200)).toEqual([]);
});

test("a body that is too large and ratings that come too fast are refused, and told what to do", async () => {
  const large = await serve()(JSON.stringify({ ...rated(1, 1), note: "x".repeat(256 << 10) }));
  expect([large.statusCode, large.json().error.code]).toEqual([413, "too_large"]);
  const post = serve(new RateLimit(1, 2, () => 0));
  expect((await post([rated(1, 1), rated(1, 2)])).statusCode).toBe(202);
  const refused = await post([rated(1, 3), rated(1, 4)]);
  expect([refused.statusCode, refused.headers["retry-after"]]).toEqual([429, "2"]);
  expect(refused.json().error).toMatchObject({ code: "too_many_ratings", retryable: true });
});

test("without Kafka every rating is refused within seconds with 503 and when to come again", async () => {
  const closed = createServer();
  const port = await listen(closed);
  closed.close();
  const away = new LivePublisher(liveKafka([`127.0.0.1:${port}`], quiet), topic);
  const post = serve(undefined, away);
  const started = performance.now();
  const answers = await Promise.all(Array.from({ length: 50 }, (_none, at) => post(rated(300, at + 1))));
  expect(performance.now() - started).toBeLessThan(10_000);
  for (const answer of answers) {
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "5"]);
    expect(answer.json().error).toMatchObject({ code: "kafka_unavailable", retryable: true });
  }
  await away.close();
});
