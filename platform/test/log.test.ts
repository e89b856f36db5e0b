import { type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { expect, test } from "vitest";

const module = new URL("../src/log.ts", import.meta.url).href;
const script = `
  import { serviceLog } from ${JSON.stringify(module)};
  const log = serviceLog("full", "info");
  for (let line = 0; line < 1000; line += 1) log.info({ line }, "a line");
  await new Promise((resolve) => setTimeout(resolve, 10));
  log.fatal("the last line");
  process.exitCode = 7;
`;

async function logTo(stdout: number | "pipe"): Promise<{ code: unknown; output: string }> {
  const options: SpawnOptions = { stdio: ["ignore", stdout, "pipe"], timeout: 20_000, killSignal: "SIGKILL" };
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], options);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  return { code, output };
}

test.skipIf(process.platform !== "linux")(
  "a full disk below standard output costs the lines and neither stops the process nor keeps it from ending",
  async () => {
    const full = await open("/dev/full", "w");
    try {
      expect(await logTo(full.fd)).toEqual({ code: 7, output: "" });
    } finally {
      await full.close();
    }
  },
  30_000,
);

test("every line is there when the process ends", async () => {
  const { code, output } = await logTo("pipe");
  expect(code).toBe(7);
  const lines = output.trimEnd().split("\n");
  expect(lines).toHaveLength(1001);
  expect(JSON.parse(lines[1000] ?? "")).toMatchObject({ level: 60, service: "full", msg: "the last line" });
}, 30_000);
