import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { container, engineAnswers, FakeDocker, prints } from "./fakeDocker.ts";

let docker: FakeDocker;
beforeEach(() => {
  docker = new FakeDocker();
});
afterEach(() => docker.remove());

/** Interrupts `./box up` when Compose is at starting containers; `stop` is what Compose does then. */
async function interruptedUp(stop: string) {
  const started = join(docker.folder, "started");
  const now = [
    container("kafka"),
    container("s3", { Health: "starting" }),
    container("loader", { State: "created", Health: "" }),
    container("preflight", { State: "exited", Health: "" }),
  ];
  docker.answers({
    ...engineAnswers,
    "*config --format json": prints({ services: { s3: { image: "any" } } }),
    "image inspect *": "exit 1",
    "* ps --all *": `${prints(now[0])}\nif [ -e ${started} ]; then\n${now.slice(1).map(prints).join("\n")}\nfi`,
    "* up *": `touch ${started}; exec sleep 60`,
    "* stop *": stop,
  });
  const args = ["--import", "tsx", "scripts/box.ts", "up", "--runtime", "docker", "--services", "s3"];
  const child = spawn(process.execPath, args, { cwd: rootPath(), stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  await expect.poll(() => existsSync(started) || said, { timeout: 20_000 }).toBe(true);
  child.kill("SIGINT");
  return { code: await ended, said };
}

test("an interrupted start ends what it began, and leaves what ran before", { timeout: 30_000 }, async () => {
  const { code, said } = await interruptedUp("true");
  expect(said).toContain("interrupted; stopped again: loader, s3\n");
  expect(code).toBe(130);
  expect(docker.asked().filter((asked) => asked.includes(" stop "))).toEqual([
    expect.stringMatching(/ stop loader s3$/),
  ]);
});

test("an interrupted start that cannot end what it began says so", { timeout: 30_000 }, async () => {
  const { code, said } = await interruptedUp("echo 'the engine is gone' >&2; exit 1");
  expect(said).toMatch(
    /interrupted, and loader, s3 could not be stopped; \.\/box down ends all of the box\.\n.*\n?.*gone/,
  );
  expect(code).toBe(130);
});
