import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import type { TestBox } from "../kit/testBox.ts";
import { ownBox } from "./ownBox.ts";

/** Runs ./box, calls `act` when it has said `text`, and answers how it ended. */
async function when(of: TestBox, args: string[], text: string, act: (pid: number) => void) {
  const child = spawn(rootPath("box"), args, { env: of.environment, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let isDone = false;
  const listen = (chunk: Buffer) => {
    said += chunk;
    if (isDone || !said.includes(text) || child.pid === undefined) return;
    isDone = true;
    act(child.pid);
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said };
}

const runIn = (said: string) => /Run (\S+?),? /.exec(said.replaceAll("\n", " "))?.[1];

describe("a run that is broken off", () => {
  it("goes on after Ctrl-C, and the next up follows it to the answers", async () => {
    const first = await when(ownBox, ["up"], "ingest.movies", (pid) => process.kill(pid, "SIGINT"));
    expect(first).toMatchObject({ code: 130, said: expect.stringContaining("goes on in Airflow") });

    const { code, stdout, stderr } = await ownBox.attempt("up");
    expect(stderr).toContain(`Run ${runIn(first.said)}, which Airflow has begun`);
    expect(stdout).toContain("The Shawshank Redemption");
    expect(code).toBe(0);
  });

  it("comes to its end when a service is killed under it and started again", async () => {
    const before = await ownBox.command("answers", "--json");
    const status = JSON.parse(await ownBox.command("status", "--json"));
    const loader = status.services.find(({ service }: { service: string }) => service === "loader");
    let restarted: Promise<string> | undefined;
    const run = await when(ownBox, ["run", "--full-refresh"], "ingest.movies", () => {
      process.kill(loader.pid, "SIGKILL");
      restarted = ownBox.command("up", "--services", "loader");
    });
    await restarted;
    expect(run).toMatchObject({ code: 0, said: expect.stringContaining("Published") });
    const { run_id: _, ...after } = JSON.parse(await ownBox.command("answers", "--json"));
    const { run_id: __, ...earlier } = JSON.parse(before);
    expect(after).toEqual(earlier);
  });
});
