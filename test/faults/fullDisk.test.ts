import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "@boxoffice/contracts/job";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../services/loader/test/engines.ts";
import { groupKeys, rowNumbers } from "../../services/loader/test/loads.ts";
import { Stores } from "./stores.ts";

/** Only who may mount can give a store a disk of its own. */
const mayMount = process.platform === "linux" && process.getuid?.() === 0;
const rows = 150_000;

describe.runIf(mayMount)("a store whose disk is full", () => {
  let stores: Stores;
  let disk = "";
  beforeEach(async () => {
    stores = new Stores();
    await stores.box.remove();
  });
  afterEach(async () => {
    await stores.endServices();
    await stores.box.command("down");
    if (disk) execFileSync("umount", [disk]);
    disk = "";
    await stores.remove();
  });

  /** Starts the stores, one of them with a disk of its own. */
  async function startWithOwnDisk(store: "kafka" | "lake"): Promise<void> {
    const folder = join(stores.box.home, store);
    mkdirSync(folder, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=200m", "tmpfs", folder]);
    disk = folder;
    await stores.start();
  }

  const filler = () => join(disk, "filler");
  function fillButFor(mebibytes: number): void {
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler(), Buffer.alloc(bavail * bsize - (mebibytes << 20)));
  }
  const free = () => rmSync(filler());

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
    await startWithOwnDisk("lake");
    const ingest = await stores.service("ingest");
    const request = { run_id: "full", dataset: "links", edition: edition() } as const;
    fillButFor(4);
    const failed = await ingest.ended("/loads", request);
    expect(failed).toMatchObject({ state: "failed", error: { retryable: true } });
    expect(failed.error?.message).toMatch(/^the lake's S3 server failed .*Its disk may be full: \.\/box doctor/);
    free();
    const loaded = await ingest.ended("/loads", request);
    expect(loaded).toMatchObject({ state: "done", result: { rows, already: false } });

    fillButFor(1);
    const loader = await stores.service("loader", { SEAL_IDLE_SECONDS: "8" });
    const sealing = { run_id: "full", dataset: "links", load_id: String(loaded.result?.load_id) };
    const refused = await loader.ended("/seals", sealing);
    expect(refused.error?.message).toMatch(/is not complete in bronze.*The lake does not take it: .*may be full/);
    expect((await loader.call("/readyz")).status).toBe(503);
    free();
    expect(await loader.ended("/seals", sealing)).toMatchObject({ state: "done", result: { rows } });
    await loader.untilReady();
    await expectEachRowOnce(loaded);
  });

  it("Kafka's: it ends, and with room again and Kafka started the load that waits for it completes", async () => {
    await startWithOwnDisk("kafka");
    const ingest = await stores.service("ingest");
    const loader = await stores.service("loader");
    const request = { run_id: "full", dataset: "links", edition: edition() } as const;
    fillButFor(4);
    const loading = ingest.ended("/loads", request);
    await until("Kafka has ended", async () => (await stores.pidOf("kafka")) === null);
    free();
    await stores.start();
    const loaded = await loading;
    expect(loaded).toMatchObject({ state: "done", result: { rows, already: false } });
    const sealing = { run_id: "full", dataset: "links", load_id: String(loaded.result?.load_id) };
    expect(await loader.ended("/seals", sealing)).toMatchObject({ state: "done", result: { rows } });
    await expectEachRowOnce(loaded);
  });
});
