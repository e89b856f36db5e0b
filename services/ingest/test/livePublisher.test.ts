import { Kafka } from "kafkajs";
import { expect, test, vi } from "vitest";
import { LivePublisher } from "../src/livePublisher.ts";

/** A publisher whose sending is up to the test. */
function publisherThat(send: () => Promise<void>) {
  const kafka = new Kafka({ brokers: ["127.0.0.1:1"] });
  const producer = kafka.producer();
  vi.spyOn(kafka, "producer").mockReturnValue(producer);
  vi.spyOn(producer, "connect").mockResolvedValue();
  vi.spyOn(producer, "disconnect").mockResolvedValue();
  const sent = vi.spyOn(producer, "send").mockImplementation(() => send().then(() => []));
  return { publisher: new LivePublisher(kafka), sent };
}

const rating = (movie_id: number) => ({ user_id: 1, movie_id, rating: 3, timestamp: 100 });

test("a rating that is posted in the moment in which another is acknowledged is sent too", async () => {
  const { publisher, sent } = publisherThat(async () => {});
  for (let movie = 1; movie <= 20; movie += 1) await publisher.append([rating(movie)]);
  expect(sent).toHaveBeenCalledTimes(20);
  await publisher.close();
}, 5_000);

test("so is one that is posted in the moment in which another is refused", async () => {
  const answers = [Promise.reject(new Error("away")), Promise.resolve()];
  answers[0]?.catch(() => {});
  const { publisher, sent } = publisherThat(() => answers.shift() ?? Promise.resolve());
  await expect(publisher.append([rating(1)])).rejects.toMatchObject({ code: "kafka_unavailable" });
  await publisher.append([rating(2)]);
  expect(sent).toHaveBeenCalledTimes(2);
  await publisher.close();
}, 5_000);

test("ratings that come while others are on their way gather in one request", async () => {
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const { publisher, sent } = publisherThat(() => arrived);
  const all = [1, 2, 3].map((movie) => publisher.append([rating(movie)]));
  await vi.waitFor(() => expect(sent).toHaveBeenCalledTimes(1));
  arrive();
  await Promise.all(all);
  expect(sent.mock.calls.map(([{ messages }]) => messages.length)).toEqual([1, 2]);
  await publisher.close();
});
