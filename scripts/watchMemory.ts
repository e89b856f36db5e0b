import { setTimeout as sleep } from "node:timers/promises";
import { BoxError } from "./boxError.ts";
import type { Runtime } from "./runtime.ts";

// To say what is shared the kernel looks at each page of the services, which takes a fifth of a core's second.
const sampleMilliseconds = 8_000;
const mebibyte = 1 << 20;

/** Samples the memory of the services until it is stopped; the peak is that of one moment over all of them. */
export async function watchMemory({ memory }: Pick<Runtime, "memory">, milliseconds = sampleMilliseconds) {
  let total = 0;
  const byService: Record<string, number> = {};
  let isWatching = true;
  const sample = async () => {
    const now = await memory();
    for (const [service, bytes] of now) byService[service] = Math.max(byService[service] ?? 0, bytes);
    const sum = [...now.values()].reduce((all, bytes) => all + bytes, 0);
    total = Math.max(total, sum);
    return sum;
  };
  if ((await sample()) === 0) throw new BoxError("nothing of this box is running; start it with ./box up");
  const watch = async () => {
    while (isWatching) {
      await sleep(milliseconds, undefined, { ref: false });
      // A service that ends while it is measured spoils this sample, not the next ones.
      if (isWatching) await sample().catch(() => {});
    }
  };
  void watch();
  return {
    stop: () => {
      isWatching = false;
    },
    peak: () => Math.round(total / mebibyte),
    peakByService: () =>
      Object.fromEntries(Object.entries(byService).map(([name, bytes]) => [name, Math.round(bytes / mebibyte)])),
  };
}
