import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";

const home = mkdtempSync(join(tmpdir(), "reset-"));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

test("a box whose state is gone is free to begin anew in the other runtime", async () => {
  vi.stubEnv("BOX_HOME", home);
  writeFileSync(join(home, "started.json"), JSON.stringify({ runtime: "embedded", ports: {} }));
  const { embeddedRuntime } = await import("../../scripts/embedded/runtime.ts");
  const { resetBox } = await import("../../scripts/reset.ts");
  await resetBox(embeddedRuntime, false);
  expect(existsSync(join(home, "started.json"))).toBe(false);
});
