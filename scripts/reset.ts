import { existsSync, rmSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { BoxError, exitCode } from "./boxError.ts";
import { boxHome, homePath } from "./boxHome.ts";
import { stopServices } from "./embedded/stop.ts";
import { withBoxLock } from "./fileLock.ts";
import { interruption } from "./interrupt.ts";
import { line } from "./terminal.ts";

/** What a box keeps; anything else in its folder is not the box's to remove. */
const state = [
  ...["airflow", "kafka", "lake", "logs", "minio", "postgres", "run", "spark", "work"],
  ...["kafka.properties", "ports.json", "s3proxy.properties", "s3proxy-logback.xml", "secrets.env"],
];

/** Ends the box and removes its state: data, logs, secrets. What is installed stays. */
export async function resetBox(isConfirmed: boolean): Promise<void> {
  const present = state.filter((name) => existsSync(homePath(name)));
  if (present.length === 0) {
    line(`there is no state of a box in ${boxHome}`);
    return;
  }
  if (!isConfirmed) await confirm();
  await withBoxLock(async () => {
    await stopServices();
  });
  for (const name of present) rmSync(homePath(name), { recursive: true, force: true });
  line(`removed the state in ${boxHome}; ./box up begins anew`);
}

async function confirm(): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new BoxError(
      `this removes all data, logs and secrets in ${boxHome}; say so with ./box reset --yes`,
      exitCode.usage,
    );
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const left = new AbortController();
  const leave = (code: number) => () => left.abort(new BoxError("nothing was removed", code));
  prompt.once("SIGINT", leave(exitCode.interrupted));
  prompt.once("close", leave(exitCode.usage));
  interruption.addEventListener("abort", leave(exitCode.interrupted));
  const question = `Remove all data, logs and secrets in ${boxHome}? [y/N] `;
  const reply = await prompt
    .question(question, { signal: left.signal })
    .catch((error) => {
      line();
      throw left.signal.aborted ? left.signal.reason : error;
    })
    .finally(() => prompt.close());
  if (!/^y(es)?$/i.test(reply.trim())) throw new BoxError("nothing was removed", exitCode.usage);
}
