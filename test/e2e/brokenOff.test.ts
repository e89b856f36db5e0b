import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, inject, it } from "vitest";
import { Random32 } from "../../scripts/random32.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { breakingOff } from "./breakingOff.ts";
import { box, publishedRun } from "./sharedBox.ts";

const seed = Number(process.env.FAULT_SEED ?? 20261128);

const runIn = (said: string) => /Run (\S+?),? /.exec(said.replaceAll("\n", " "))?.[1];

describe("a run that is broken off", () => {
  it("goes on after Ctrl-C, and the next up follows it to the answers", () => {
    const { code, said } = inject("interruptedUp");
    expect(code, said).toBe(130);
    expect(said).toContain("goes on in Airflow");
    expect(inject("firstUp").stderr).toContain(`Run ${runIn(said)}, which Airflow has begun`);
  });

  it("comes to its end when a service is killed under it and started again", async () => {
    const before = await box.command("answers", "--json");
    let restarted: Promise<string> | undefined;
    const run = await breakingOff(box, ["run", "--full-refresh"], "ingest.movies", () => {
      restarted = box.kill("loader").then(() => box.command("up", "--services", "loader"));
    });
    await restarted;
    expect(run).toMatchObject({ code: 0, said: expect.stringContaining("Published") });
    expect(withoutRunId(await box.command("answers", "--json"))).toBe(withoutRunId(before));
  });

  it(`comes to the certified answers, or says why not and does the next time, when the S3 server is killed again and again (FAULT_SEED=${seed})`, async () => {
    const before = await publishedRun();
    const random = new Random32(seed);
    const run = () => box.attempt("run", "--full-refresh");
    let hasEnded = false;
    const disturbed = run().finally(() => {
      hasEnded = true;
    });
    let kills = 0;
    while (kills < 8) {
      await Promise.race([disturbed, sleep(500 + random.below(4_000))]);
      if (hasEnded) break;
      await box.kill("s3");
      kills += 1;
      await box.command("up", "--services", "s3");
    }
    const { code, stderr } = await disturbed;
    console.log(`${kills} kills, and the run ended with exit code ${code} (FAULT_SEED=${seed})\n${stderr}`);
    expect(kills).toBeGreaterThanOrEqual(code === 0 ? 2 : 1);
    // An address alone tells nobody which of the engines it is of.
    expect(stderr).not.toMatch(/: connect ECONNREFUSED/);
    if (code !== 0) {
      expect(stderr).toMatch(/^box: /m);
      const again = await run();
      expect(again, again.stderr).toMatchObject({ code: 0 });
    }
    expect(await publishedRun()).not.toBe(before);
    expect(withoutRunId(await box.command("answers", "--json"))).toBe(certifiedAnswers());
  });
});
