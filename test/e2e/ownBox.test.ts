import { afterAll, beforeAll } from "vitest";
import { ownBox } from "./ownBox.ts";
import { box } from "./sharedBox.ts";

// Two boxes at work at once would be slow on a small machine.
beforeAll(async () => {
  await box.command("down");
  await ownBox.remove();
});
afterAll(() => ownBox.remove());

// In this order, on one box: it comes up by the run that is broken off.
await import("./interruptedRun.ts");
await import("./liveRatings.ts");
