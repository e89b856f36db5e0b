import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { TestBox } from "../kit/testBox.ts";
import { box } from "./sharedBox.ts";

interface Service {
  service: string;
  state: string;
}
const services = async (of: TestBox): Promise<Service[]> => JSON.parse(await of.command("status", "--json")).services;

describe("a port that is taken", () => {
  it("is named with its holder and the setting that moves it", async () => {
    const other = new TestBox({ name: "ports", portOffset: 10_200, runtime: "embedded" });
    const server = createServer().listen(15_432 + 10_200, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { code, stderr } = await other.attempt("up", "--services", "warehouse");
    server.close();
    await other.remove();
    expect(code).toBe(3);
    for (const text of ["25632", "POSTGRES_PORT", "BOX_PORT_OFFSET", `pid ${process.pid}`]) {
      expect(stderr).toContain(text);
    }
  });
});

describe("two boxes side by side", () => {
  it("work with another BOX_HOME and BOX_PORT_OFFSET, keep their ports, and down ends only its own", async () => {
    const other = new TestBox({ name: "second", portOffset: 10_300, runtime: "embedded" });
    await other.start("warehouse", "s3");
    const plain = { BOX_PORT_OFFSET: undefined };
    const remembered = await other.attemptWith(plain, "status", "--json");
    expect(JSON.parse(remembered.stdout).services).toContainEqual(
      expect.objectContaining({ service: "warehouse", state: "ready", ports: [15_432 + 10_300] }),
    );
    const moved = await other.attemptWith({ ...plain, POSTGRES_PORT: "15555" }, "up", "--services", "warehouse");
    expect(moved.code).toBe(2);
    expect(moved.stderr).toContain("POSTGRES_PORT 25732, not 15555");
    await other.remove();
    const notReady = async () => (await services(box)).filter(({ state }) => state !== "ready");
    await expect.poll(notReady, { timeout: 60_000 }).toEqual([]);
  });
});

describe("Ctrl-C while the box starts", () => {
  it("leaves nothing running", async () => {
    const other = new TestBox({ name: "interrupted", portOffset: 10_400, runtime: "embedded" });
    const child = spawn(rootPath("box"), ["up", "--services", "kafka", "warehouse"], {
      env: other.environment,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
      // Once: at its very end a second one would end it before its own exit code.
      if (said.includes("ok ") && !child.killed) child.kill("SIGINT");
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code).toBe(130);
    expect((await services(other)).filter(({ state }) => state !== "down")).toEqual([]);
    await other.remove();
  });
});

describe("reset", () => {
  it("needs --yes without a terminal, and removes the box's state and nothing else", async () => {
    const other = new TestBox({ name: "reset", portOffset: 10_500, runtime: "embedded" });
    mkdirSync(other.home, { recursive: true });
    const mine = join(other.home, "mine.txt");
    writeFileSync(mine, "kept");
    await other.command("up", "--services", "s3");
    const refused = await other.attempt("reset");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--yes");
    await other.command("reset", "--yes");
    expect(existsSync(mine)).toBe(true);
    expect(existsSync(join(other.home, "secrets.env"))).toBe(false);
    expect((await services(other)).filter(({ state }) => state !== "down")).toEqual([]);
    await other.remove();
  });
});
