import { Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { GroupMember } from "../src/groupMember.ts";
import { quietLog } from "./engines.ts";

test("a consumer that does not run, as after a failure, reads nothing and can be paused and stopped all the same", async () => {
  const member = new GroupMember({
    kafka: new Kafka({ brokers: ["127.0.0.1:1"] }),
    topics: ["ratings-live"],
    consumer: { groupId: "group" },
    concurrency: 1,
    take: async () => {},
    onOffsetOutOfRange: "stop",
    remedy: "",
    log: quietLog,
  });
  expect(() => member.pause()).not.toThrow();
  await member.stop();
  expect(member.isJoined).toBe(false);
});
