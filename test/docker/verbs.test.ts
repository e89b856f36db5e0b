import { answers } from "@boxoffice/contracts/answers";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { bundledText, EditionCopy } from "../kit/edition.ts";
import { box } from "./composeBox.ts";

const edition = new EditionCopy();
afterAll(() => edition.remove());

const counts = async () => answers.parse(JSON.parse(await box.command("answers", "--json"))).counts;
const status = z.object({ services: z.array(z.object({ service: z.string(), state: z.string() })) });
const bench = z.object({
  seconds: z.number().positive(),
  waiting_seconds: z.number(),
  peak_memory_mib: z.number(),
  peak_by_service_mib: z.record(z.string(), z.number().positive()),
  hops: z.array(z.object({ hop: z.string(), rows_in: z.number() })),
});

/** Ratings of users whom the bundled edition does not have, a thousand movies each. */
function moreRatings(count: number): string[] {
  return Array.from(
    { length: count },
    (_none, at) => `${1000 + Math.floor(at / 1000)},${1 + (at % 1000)},3.5,1000000000`,
  );
}

describe("./box with containers", () => {
  it("status names every service as ready", async () => {
    const services = async () => status.parse(JSON.parse(await box.command("status", "--json"))).services;
    expect((await services()).length).toBeGreaterThan(10);
    const notReady = async () => (await services()).filter(({ state }) => state !== "ready");
    await expect.poll(notReady, { timeout: 60_000 }).toEqual([]);
  });

  it("logs shows a service's last lines, and names the services where there is none of that name", async () => {
    expect(await box.command("logs", "loader", "-n", "1000")).toContain("loader started");
    const { code, stderr } = await box.attempt("logs", "loafer");
    expect(code).toBe(2);
    expect(stderr).toContain("loader");
  });

  it("dead-letters list shows the records that broke their contract", async () => {
    expect(await box.command("dead-letters", "list")).toContain("6 dead letters");
  });

  it("doctor finds nothing in the way of a box that runs", async () => {
    const { code, stdout } = await box.attempt("doctor");
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("Compose") });
  });

  it("bench runs an edition from a directory of this machine, within 6 GiB", async () => {
    const lines = bundledText("movies_metadata.csv").trimEnd().split("\n");
    edition.with("movies_metadata.csv", `${lines.slice(0, -1).join("\n")}\n`);
    // Enough that bronze has a group of as many slices as there may be.
    edition.withMore("ratings_small.csv", moreRatings(200_000));
    const report = bench.parse(JSON.parse(await box.command("bench", "--json", "--edition", edition.path)));
    console.log(`bench: ${report.seconds.toFixed(1)} s, peak ${report.peak_memory_mib} MiB`);
    expect(report.hops.map(({ hop }) => hop)).toContain("gold");
    expect(report.hops.find(({ hop }) => hop === "silver")?.rows_in).toBeGreaterThan(300_000);
    expect(Object.keys(report.peak_by_service_mib)).toContain("kafka");
    expect(report.peak_memory_mib).toBeGreaterThan(1_000);
    expect(report.peak_memory_mib).toBeLessThan(6_144);
    expect((await counts()).movies.source_rows).toBe(45_465);
  });

  it("run fails with one clear message on a directory that lacks a file, and leaves the answers", async () => {
    const before = await box.command("answers", "--json");
    edition.without("links.csv");
    const { code, stderr } = await box.attempt("run", "--edition", edition.path);
    expect(code).toBe(1);
    expect(stderr).toContain("links.csv");
    expect(await box.command("answers", "--json")).toBe(before);
  });
});
