import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { z } from "zod";
import { ComposeBox, docker } from "./composeBox.ts";

const listed = z.array(z.object({ name: z.string(), isBuilt: z.boolean(), size: z.number().optional() }));

const folder = mkdtempSync(join(tmpdir(), "images-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A tag of its own, so that other boxes keep their images. */
const classroom = new ComposeBox("images", 11_300, { BOX_TAG: "classroom" });
const list = async () => listed.parse(JSON.parse(await classroom.command("images", "list", "--json")));

it("images are saved into one archive, from which another machine has them all again", async () => {
  const archive = join(folder, "boxoffice.tar");
  await classroom.command("images", "save", archive);
  const own = (await list()).filter(({ isBuilt }) => isBuilt).map(({ name }) => name);
  expect(own).toContain("boxoffice/airflow:classroom");
  await docker("rmi", ...own);
  expect((await list()).filter(({ size }) => size === undefined).map(({ name }) => name)).toEqual(own);

  await classroom.command("images", "load", archive);
  expect((await list()).filter(({ size }) => size === undefined)).toEqual([]);
  // Nothing is built again, for which a classroom lacks the internet.
  const { code, stderr } = await classroom.attempt("up", "--services", "s3");
  expect(code).toBe(0);
  expect(stderr).not.toContain("Building");
  await classroom.remove();
  await docker("rmi", ...own);
});
