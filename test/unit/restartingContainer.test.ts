import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { container, FakeDocker, prints } from "./fakeDocker.ts";

let docker: FakeDocker;
beforeEach(() => {
  docker = new FakeDocker();
});
afterEach(() => docker.remove());

test("a container that ends again and again is not waited for, and its log's last lines say why", async () => {
  const count = join(docker.folder, "count");
  docker.answers({
    "* ps --all *": [container("kafka"), container("loader", { State: "restarting", Health: "", ExitCode: 137 })]
      .map(prints)
      .join("\n"),
    // It has been started again twice before, and is at every look.
    "container inspect *": `echo x >> ${count}; printf '/box-loader-1\\t%s\\n' $(($(wc -l < ${count}) + 2))`,
    "* logs *": "echo 'the migrations are missing'",
    "* up *": "exec sleep 120",
  });
  const { bringUp } = await import("../../scripts/docker/bringUp.ts");
  await expect(bringUp([])).rejects.toThrow(
    /^loader did not start \(restarting, exit code 137\)\.\n.*LOADER_MEMORY=.*the migrations are missing/s,
  );
}, 60_000);
