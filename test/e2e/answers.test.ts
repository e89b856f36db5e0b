import { describe, expect, inject, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { compareWithOracle } from "../kit/oracle.ts";
import { box, publishedRun } from "./sharedBox.ts";

const status = async () => JSON.parse(await box.command("status", "--json"));

describe("a box from nothing", () => {
  it("comes up with the four answers", () => {
    for (const text of ["The Shawshank Redemption", "Drama", "Kruskal-Wallis", "Adventure"]) {
      expect(inject("firstUp").stdout).toContain(text);
    }
  });

  it("answers with every figure of the independent computation", async () => {
    const report = compareWithOracle(await box.command("answers", "--json"), rootPath("data", "edition"));
    expect(report).toContain("532 figures compared, 0 differences");
  });

  it("prints the certified answers, byte for byte, as every runtime does", async () => {
    expect(withoutRunId(await box.command("answers", "--json"))).toBe(certifiedAnswers());
  });

  it("names the six fragments of the three split records as dead letters", async () => {
    const page = JSON.parse(await box.command("dead-letters", "list", "--json"));
    expect(page.total).toBe(6);
    expect(page.dead_letters.map((letter: { line: number }) => letter.line)).toEqual([
      19731, 19732, 29504, 29505, 35588, 35589,
    ]);
  });

  it("does nothing again on a second up", async () => {
    const before = await publishedRun();
    const pids = async () => (await status()).services.map(({ pid }: { pid: number }) => pid);
    const running = await pids();
    await box.command("up");
    expect(await publishedRun()).toBe(before);
    expect(await pids()).toEqual(running);
  });

  it("keeps its answers through down and up", async () => {
    const before = await box.command("answers", "--json");
    await box.command("down");
    const { services } = await status();
    expect(services.filter(({ state }: { state: string }) => state !== "down")).toEqual([]);
    await box.command("up");
    expect(await box.command("answers", "--json")).toBe(before);
  });
});
