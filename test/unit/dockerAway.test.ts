import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeDocker } from "./fakeDocker.ts";

let docker: FakeDocker;
beforeEach(() => {
  docker = new FakeDocker();
});
afterEach(() => docker.remove());

const raw = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";

async function dockerRuntime() {
  return (await import("../../scripts/docker/runtime.ts")).dockerRuntime;
}
const box = { settings: {}, services: new Map(), environment: {} };

test("what needs an engine says that none answers, and not how Docker says so", async () => {
  docker.answers({ "*config --services": "echo loader", "*": `echo '${raw}' >&2; exit 1` });
  const runtime = await dockerRuntime();
  const commands = {
    status: () => runtime.status({ ...box, runtime }),
    down: () => runtime.stop(),
    logs: () => runtime.printLogs("loader", 10),
    reset: () => runtime.removeState(),
  };
  for (const [name, command] of Object.entries(commands)) {
    const error = await command().then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error, name).toMatchObject({ exitCode: 3, message: expect.stringContaining("no Docker engine answers") });
    expect(error?.message).not.toContain("docker.sock");
  }
});

test("a failure while an engine answers stays as it is", async () => {
  docker.answers({
    "info *": "printf '28.0.0\\tlinux/x86_64\\t1\\t2\\t/nowhere\\n'",
    "*": "echo 'no such network' >&2; exit 1",
  });
  await expect((await dockerRuntime()).stop()).rejects.toThrow("no such network");
});
