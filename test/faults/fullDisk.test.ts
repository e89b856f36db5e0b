import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "@boxoffice/contracts/job";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../services/loader/test/engines.ts";
import { groupKeys, rowNumbers } from "../../services/loader/test/loads.ts";
import { mayMount } from "../kit/ownDisk.ts";
import { box, diskOf, Stores } from "./stores.ts";

const rows = 150_000;

describe.runIf(mayMount)("a store whose disk is full", () => {
  const stores = new Stores();
  const disks = [diskOf("lake"), diskOf("kafka")] as const;
  const [lake, kafka] = disks;
  beforeAll(() => stores.start());
  afterEach(async () => {
    for (const disk of disks) disk.free();
    await stores.endServices();
  });
  afterAll(() => stores.close());

  /** An edition of 18 MB that does not compress well. */
  function edition(): string {
    const directory = stores.directory();
    const cell = () => `${randomUUID()}${randomUUID()}${randomUUID()}`;
    const text = Array.from({ length: rows }, (_none, at) => `${at + 1},${cell()},${at + 1}\n`);
    writeFileSync(join(directory, "links.csv"), `movieId,imdbId,tmdbId\n${text.join("")}`);
    return directory;
  }

  async function expectEachRowOnce({ result }: Job): Promise<void> {
    const load = { dataset: "links", load_id: String(result?.load_id) } as const;
    expect(await groupKeys(stores.lake, load)).toHaveLength(1);
    const numbers = await rowNumbers(stores.lake, load);
    expect(numbers).toHaveLength(rows);
    expect(new Set(numbers).size).toBe(rows);
  }

  it("the lake's: landing and bronze say so, and with room again the same load and seal complete", async () => {
    const ingest = await stores.service("ingest");
    const request = { run_id: "full", dataset: "links", edition: edition() } as const;
    lake.fillButFor(4);
    const failed = await ingest.ended("/loads", request);
    expect(failed).toMatchObject({ state: "failed", error: { retryable: true } });
    expect(failed.error?.message).toMatch(/^the lake's S3 server failed .*Its disk may be full: \.\/box doctor/);
    lake.free();
    const loaded = await ingest.ended("/loads", request);
    expect(loaded).toMatchObject({ state: "done", result: { rows, already: false } });

    lake.fillButFor(1);
    const loader = await stores.service("loader", { SEAL_IDLE_SECONDS: "8" });
    const sealing = { run_id: "full", dataset: "links", load_id: String(loaded.result?.load_id) };
    const refused = await loader.ended("/seals", sealing);
    expect(refused.error?.message).toMatch(/is not complete in bronze.*The lake does not take it: .*may be full/);
    expect((await loader.call("/readyz")).status).toBe(503);
    lake.free();
    expect(await loader.ended("/seals", sealing)).toMatchObject({ state: "done", result: { rows } });
    await loader.untilReady();
    await expectEachRowOnce(loaded);
  });

  it("Kafka's: it says so and ends, and with room again and Kafka started the load that waits for it completes", async () => {
    const ingest = await stores.service("ingest");
    const loader = await stores.service("loader");
    const request = { run_id: "full", dataset: "links", edition: edition() } as const;
    kafka.fillButFor(4);
    const loading = ingest.ended("/loads", request);
    await until("Kafka has ended", async () => !(await box.pids()).has("kafka"));
    expect(await box.command("logs", "kafka", "-n", "1000")).toContain("No space left on device");
    kafka.free();
    await stores.start();
    const loaded = await loading;
    expect(loaded).toMatchObject({ state: "done", result: { rows, already: false } });
    const sealing = { run_id: "full", dataset: "links", load_id: String(loaded.result?.load_id) };
    expect(await loader.ended("/seals", sealing)).toMatchObject({ state: "done", result: { rows } });
    await expectEachRowOnce(loaded);
  });
});
