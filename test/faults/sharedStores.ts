import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { box, folderOf, mayMount, Stores } from "./stores.ts";

/** Starts the stores that the files here share, each with a disk of its own that may fill. */
export default async function setup() {
  await box.remove();
  const folders = mayMount ? [folderOf("kafka"), folderOf("lake")] : [];
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=512m", "tmpfs", folder]);
  }
  await new Stores().start();
  return async () => {
    await box.command("down");
    for (const folder of folders) execFileSync("umount", [folder]);
    await box.remove();
  };
}
