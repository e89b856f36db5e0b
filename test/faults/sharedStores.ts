import { mayMount } from "../kit/ownDisk.ts";
import { box, diskOf, Stores } from "./stores.ts";

/** Starts the stores that the files here share, each with a disk of its own that may fill. */
export default async function setup() {
  await box.remove();
  const disks = mayMount ? [diskOf("kafka"), diskOf("lake")] : [];
  for (const disk of disks) disk.mount(512);
  await new Stores().start();
  return async () => {
    await box.command("down");
    for (const disk of disks) disk.unmount();
    await box.remove();
  };
}
