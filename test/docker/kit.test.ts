import { expect, it } from "vitest";
import { startBox } from "../kit/startBox.ts";

it.each(["docker", "embedded"] as const)(
  "the test kit gives a suite a box with clients of its engines: %s",
  async (runtime) => {
    const services = ["warehouse", "s3", "kafka"];
    const box = await startBox({ name: `kit-${runtime}`, portOffset: 11_500, runtime, services });
    const client = await box.warehouse();
    const { rows } = await client.query<{ one: number }>("select 1 as one");
    await client.end();
    expect(rows).toEqual([{ one: 1 }]);
    await box.lake.ensureBucket();
    await box.lake.put("kit", "kept");
    expect(Buffer.from((await box.lake.bytes("kit")) ?? []).toString()).toBe("kept");
    const admin = box.kafka.admin();
    await admin.connect();
    expect((await admin.describeCluster()).brokers).toHaveLength(1);
    await admin.disconnect();
    await box.stop();
  },
);
