import { setMaxListeners } from "node:events";
import { BoxError, exitCode } from "./boxError.ts";

const controller = new AbortController();
setMaxListeners(50, controller.signal);

/** Aborts when the user wants this command to end. */
export const interruption: AbortSignal = controller.signal;

/** For work that must end well although the user interrupts, such as ending what was begun. */
export const uninterrupted: AbortSignal = new AbortController().signal;

/** From now on Ctrl-C and SIGTERM abort `interruption` instead of ending this process at once. */
export function endOnInterrupt(): void {
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => controller.abort(new BoxError("interrupted", exitCode.interrupted)));
  }
}
