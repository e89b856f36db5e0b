import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TestBox } from "./testBox.ts";

/** Takes away all that a box's Kafka has, as when its volume is made anew, and starts it. */
export async function emptyKafka(box: TestBox): Promise<void> {
  await box.kill("kafka");
  const folder = join(box.home, "kafka");
  // What is in it: the folder itself may be a disk of its own.
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  await box.command("up", "--services", "kafka");
}
