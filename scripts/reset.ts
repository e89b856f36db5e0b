import { createInterface } from "node:readline/promises";
import { BoxError, exitCode } from "./boxError.ts";
import { withBoxLock } from "./fileLock.ts";
import { interruption } from "./interrupt.ts";
import type { Runtime } from "./runtime.ts";
import { forgetStart } from "./startedBox.ts";
import { line } from "./terminal.ts";

/** Ends the box and removes its state: data, logs, secrets. What is installed stays. */
export async function resetBox(runtime: Runtime, isConfirmed: boolean): Promise<void> {
  if (!(await runtime.hasState())) {
    // Else a box whose state was removed by other means could not begin anew in the other runtime.
    forgetStart();
    line(`there is no state of a box in ${runtime.place}`);
    return;
  }
  if (!isConfirmed) await confirm(runtime.place);
  await withBoxLock(async () => {
    await runtime.stop();
    await runtime.removeState();
    forgetStart();
  });
  line(`removed the state in ${runtime.place}; ./box up begins anew`);
}

async function confirm(place: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new BoxError(
      `this removes all data, logs and secrets in ${place}; say so with ./box reset --yes`,
      exitCode.usage,
    );
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const left = new AbortController();
  const leave = (code: number) => () => left.abort(new BoxError("nothing was removed", code));
  prompt.once("SIGINT", leave(exitCode.interrupted));
  prompt.once("close", leave(exitCode.usage));
  interruption.addEventListener("abort", leave(exitCode.interrupted));
  const question = `Remove all data, logs and secrets in ${place}? [y/N] `;
  const reply = await prompt
    .question(question, { signal: left.signal })
    .catch((error) => {
      line();
      throw left.signal.aborted ? left.signal.reason : error;
    })
    .finally(() => prompt.close());
  if (!/^y(es)?$/i.test(reply.trim())) throw new BoxError("nothing was removed", exitCode.usage);
}
