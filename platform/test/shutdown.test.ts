import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

const platform = (file: string) => JSON.stringify(new URL(`../src/${file}.ts`, import.meta.url).href);
const script = `
  import { serviceLog } from ${platform("log")};
  import { closeOnSignal } from ${platform("shutdown")};
  const log = serviceLog("test", "info");
  closeOnSignal(log, [
    () => Promise.reject(new Error("the first is broken")),
    () => { throw new Error("so is the second"); },
    () => log.info("the third is closed"),
  ]);
  setInterval(() => {}, 1000);
  log.info("started");
`;

test("one that cannot be closed is logged, the others are closed, and the process exits 0", async () => {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  await expect.poll(() => output, { timeout: 20_000 }).toContain("started");
  child.kill("SIGTERM");
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  for (const text of ["the first is broken", "so is the second", "the third is closed"]) expect(output).toContain(text);
}, 30_000);
