import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { container, FakeDocker, prints } from "./fakeDocker.ts";

let docker: FakeDocker;
beforeEach(() => {
  docker = new FakeDocker();
});
afterEach(() => docker.remove());

const runtime = async () => (await import("../../scripts/docker/runtime.ts")).dockerRuntime;

function secretsAt(...path: string[]): string {
  const file = join(docker.folder, ...path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "AIRFLOW_PASSWORD=own\n");
  return file;
}

test("down and reset end the containers of every profile: the shell may have another than the box was started with", async () => {
  const { stop, removeState } = await runtime();
  await stop();
  await removeState();
  const downs = docker.asked().filter((asked) => asked.includes(" down "));
  expect(downs).toEqual([
    expect.stringMatching(/ --profile \* down --remove-orphans$/),
    expect.stringMatching(/ --profile \* down --remove-orphans --volumes$/),
  ]);
});

test("a volume that is in use fails a reset, and keeps the secrets it was made with", async () => {
  const secrets = secretsAt("home", "secrets.env");
  docker.answers({ "volume ls *": "echo boxoffice_warehouse" });
  await expect((await runtime()).removeState()).rejects.toThrow("volumes of the box are left: boxoffice_warehouse");
  expect(existsSync(secrets)).toBe(true);
});

test.each([
  ["home", "secrets.env"],
  ["home", "elsewhere", "own.env"],
])("a reset removes the secrets in the box's home: %s/%s", async (...path) => {
  const secrets = secretsAt(...path);
  vi.stubEnv("BOX_SECRETS_FILE", path.length > 2 ? secrets : "");
  const { hasState, removeState } = await runtime();
  expect(await hasState()).toBe(true);
  await removeState();
  expect(existsSync(secrets)).toBe(false);
  expect(await hasState()).toBe(false);
});

test("a file of secrets that the user keeps elsewhere stays, and is no state of the box", async () => {
  const secrets = secretsAt("mine", "secrets.env");
  vi.stubEnv("BOX_SECRETS_FILE", secrets);
  const { hasState, removeState } = await runtime();
  expect(await hasState()).toBe(false);
  docker.answers({ "* ps --all *": prints(container("s3")) });
  expect(await hasState()).toBe(true);
  await removeState();
  expect(existsSync(secrets)).toBe(true);
});
