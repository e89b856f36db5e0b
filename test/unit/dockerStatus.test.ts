import { afterEach, beforeEach, expect, test } from "vitest";
import { container, FakeDocker, prints } from "./fakeDocker.ts";

let docker: FakeDocker;
beforeEach(() => {
  docker = new FakeDocker();
});
afterEach(() => docker.remove());

const worker = (number: number, own = {}) => container("spark-worker", { Name: `box-spark-worker-${number}`, ...own });

async function status(...containers: unknown[]) {
  docker.answers({
    "*config --services": "echo spark-worker; echo preflight",
    "* ps --all *": containers.map(prints).join("\n"),
    "container inspect *": `for name; do case $name in box-*)
      printf '/%s\\t2026-01-02T03:04:0%s.123456789Z\\n' "$name" "\${name##*-}";; esac; done`,
  });
  const { containerStatus } = await import("../../scripts/docker/containerStatus.ts");
  return containerStatus();
}

test("a service is as its worst container, and since when that one was started", async () => {
  const ready = { service: "spark-worker", state: "ready", pid: null, since: "2026-01-02T03:04:01.123Z", ports: [] };
  expect(await status(worker(1), worker(2))).toEqual([ready]);
  const starting = { ...ready, state: "starting", since: "2026-01-02T03:04:02.123Z" };
  expect(await status(worker(1), worker(2, { Health: "starting" }), worker(3))).toEqual([starting]);
  const down = { ...ready, state: "down", since: null };
  expect(await status(worker(1, { State: "exited", Health: "" }), worker(2))).toEqual([down]);
  expect(await status()).toEqual([down]);
});
