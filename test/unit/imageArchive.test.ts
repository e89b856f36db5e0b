import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeDocker, prints } from "./fakeDocker.ts";

let docker: FakeDocker;
let folder: string;
beforeEach(() => {
  docker = new FakeDocker();
  folder = join(docker.folder, "archives");
  mkdirSync(folder);
});
afterEach(() => docker.remove());

const kafka = { "*config --format json": prints({ services: { kafka: { image: "apache/kafka:1" } } }) };
const pulled = { ...kafka, "image inspect *": prints([{ RepoTags: null, Size: 1, Config: {} }]) };

async function save(...path: string[]): Promise<void> {
  const { saveImages } = await import("../../scripts/docker/imageArchive.ts");
  await saveImages(join(folder, ...path));
}

test("a place that cannot take the archive is refused before minutes of building and pulling", async () => {
  docker.answers(kafka);
  await expect(save("missing", "images.tar")).rejects.toMatchObject({
    message: expect.stringContaining(`there is no directory ${join(folder, "missing")}`),
    exitCode: 2,
  });
  await expect(save()).rejects.toThrow("is a directory");
  expect(docker.asked()).toEqual([]);
});

test("a full disk is told as such, and the part of the archive removed", async () => {
  docker.answers({ ...pulled, "save *": "head -c 1000000 /dev/zero" });
  // Writing to the device fails as writing to a full disk does; only Linux has it.
  if (!existsSync("/dev/full")) return;
  symlinkSync("/dev/full", join(folder, "images.tar.part"));
  await expect(save("images.tar")).rejects.toMatchObject({
    message: expect.stringMatching(/could not be written: ENOSPC.*\nThe part.*is removed; free some space/),
    exitCode: 3,
  });
  expect(readdirSync(folder)).toEqual([]);
});

test("an archive has what the engine sends", async () => {
  docker.answers({ ...pulled, "save *": "printf images" });
  await save("images.tar");
  expect(readdirSync(folder)).toEqual(["images.tar"]);
  expect(readFileSync(join(folder, "images.tar"), "utf8")).toBe("images");
});

test.each([
  "failed to solve: node:0-gone: failed to resolve source metadata for registry.example/library/node:0-gone: not found",
  'failed to solve: node:24: failed to do request: Head "https://registry.example/v2/library/node": i/o timeout',
  "manifest for node:0-gone not found: manifest unknown: manifest unknown",
])("a base image that a build does not get has the remedy: %s", async (said) => {
  const own = { services: { loader: { image: "boxoffice/loader:local", build: {} } } };
  docker.answers({
    "*config --format json": prints(own),
    "image inspect *": "exit 1",
    "* build *": `cat >&2 <<'SAID'\n${said}\nSAID\nexit 1`,
  });
  const { buildImages } = await import("../../scripts/docker/images.ts");
  await expect(buildImages()).rejects.toThrow(/An image cannot be had.*\.\/box images load.*--runtime embedded/s);
});

test("other failures of a build are told without that remedy", async () => {
  const { explained } = await import("../../scripts/docker/explained.ts");
  for (const said of ["/bin/sh: 1: uv: not found", "npm error 404 Not Found - GET https://packages.example/x"]) {
    expect(explained(new Error(said)).message).not.toContain("An image");
  }
});
