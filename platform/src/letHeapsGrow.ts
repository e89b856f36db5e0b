import { setFlagsFromString } from "node:v8";

/**
 * Lets each heap of this process, those of its threads too, become larger by so many percent of what was left in it
 * before all of it is looked through again. V8 counts buffers, which are beside a heap, to it: by default it looks
 * through a small heap for every few megabytes of them, for a third of the processor's time of a load.
 */
export function letHeapsGrow(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
