import { describe, expect, inject, it } from "vitest";
import { withoutRunId } from "../kit/certifiedAnswers.ts";
import { breakingOff } from "./breakingOff.ts";
import { box } from "./sharedBox.ts";

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
    const status = JSON.parse(await box.command("status", "--json"));
    const loader = status.services.find(({ service }: { service: string }) => service === "loader");
    let restarted: Promise<string> | undefined;
    const run = await breakingOff(box, ["run", "--full-refresh"], "ingest.movies", () => {
      process.kill(loader.pid, "SIGKILL");
      restarted = box.command("up", "--services", "loader");
    });
    await restarted;
    expect(run).toMatchObject({ code: 0, said: expect.stringContaining("Published") });
    expect(withoutRunId(await box.command("answers", "--json"))).toBe(withoutRunId(before));
  });
});
