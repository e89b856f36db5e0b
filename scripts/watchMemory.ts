import { setTimeout as sleep } from "node:timers/promises";
import { BoxError } from "./boxError.ts";
import type { Runtime } from "./runtime.ts";

// To say what is shared the kernel looks at each page of the services, which takes a fifth of a core's second.
const sampleMilliseconds = 8_000;
const mebibyte = 1 << 20;

/** Milliseconds since 1970. */
export interface Period {
  from: number;
  to: number;
}

const always: Period = { from: 0, to: Number.POSITIVE_INFINITY };

/** Samples the memory of the services until it is stopped; the peak is that of one moment over all of them. */
export async function watchMemory({ memory }: Pick<Runtime, "memory">, milliseconds = sampleMilliseconds) {
  const samples: { at: number; bytes: ReadonlyMap<string, number> }[] = [];
  let isWatching = true;
  const sample = async () => {
    const bytes = await memory();
    samples.push({ at: Date.now(), bytes });
    return sumOf(bytes);
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
  const samplesIn = ({ from, to }: Period) => samples.filter(({ at }) => at >= from && at <= to);
  return {
    stop: () => {
      isWatching = false;
    },
    /** Undefined where no sample fell into the period. */
    peak: (period = always) => {
      const sums = samplesIn(period).map(({ bytes }) => sumOf(bytes));
      return sums.length === 0 ? undefined : Math.round(Math.max(...sums) / mebibyte);
    },
    /** Of each service its own, not at one moment. */
    peakByService: (period = always) => {
      const peaks: Record<string, number> = {};
      for (const { bytes } of samplesIn(period)) {
        for (const [service, used] of bytes)
          peaks[service] = Math.max(peaks[service] ?? 0, Math.round(used / mebibyte));
      }
      return peaks;
    },
  };
}

const sumOf = (bytes: ReadonlyMap<string, number>) => [...bytes.values()].reduce((sum, used) => sum + used, 0);
