import { writeFileSync } from "node:fs";
import { BoxError } from "../boxError.ts";
import { endOnInterrupt, interruption } from "../interrupt.ts";
import type { Variables } from "../settings.ts";
import { driveLive } from "./drive.ts";
import { liveLine } from "./liveText.ts";

/** The service `live` of docker-compose.yml: posts LIVE_RATE ratings per second until it is stopped. */
async function live(environment: Variables): Promise<void> {
  const rate = Number(environment.LIVE_RATE);
  if (!(rate > 0)) throw new BoxError(`LIVE_RATE must be a number above 0, not '${environment.LIVE_RATE}'`);
  let visible = 0;
  await driveLive(
    { environment },
    {
      rate,
      batch: 1,
      // Another one at each start, so that a restart does not draw what was given before.
      seed: Date.now(),
      signal: interruption,
      onProgress: (report) => {
        console.log(liveLine(report));
        // The container's health check looks at its age.
        if (report.visible > visible) writeFileSync("/tmp/live-visible", String(report.visible));
        visible = report.visible;
      },
    },
  );
}

endOnInterrupt();
try {
  await live(process.env as Variables);
} catch (error) {
  console.error(`live: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
