import { BoxError, exitCode } from "./boxError.ts";
import { engineAnswers } from "./docker/engine.ts";
import { dockerRuntime } from "./docker/runtime.ts";
import { embeddedRuntime } from "./embedded/runtime.ts";
import type { Runtime } from "./runtime.ts";
import { type RuntimeName, runtimeNames, usedRuntime } from "./startedBox.ts";

const runtimes: Readonly<Record<RuntimeName, Runtime>> = { embedded: embeddedRuntime, docker: dockerRuntime };

/** The runtime that has the box's state; for a new box that of --runtime, BOX_RUNTIME, else Docker where it answers. */
export async function chooseRuntime(wanted = named(process.env.BOX_RUNTIME)): Promise<Runtime> {
  const used = usedRuntime();
  if (used && wanted && used !== wanted) {
    throw new BoxError(
      `this box has its state in the runtime ${used}, and ${wanted} is asked for.\nGive the other a home of its own with BOX_HOME, or begin anew with ./box reset`,
      exitCode.usage,
    );
  }
  const known = used ?? wanted;
  if (known) return runtimes[known];
  return (await engineAnswers()) ? dockerRuntime : embeddedRuntime;
}

function named(text: string | undefined): RuntimeName | undefined {
  if (!text) return undefined;
  const name = runtimeNames.find((candidate) => candidate === text);
  if (name) return name;
  throw new BoxError(`BOX_RUNTIME must be ${runtimeNames.join(" or ")}, not '${text}'`, exitCode.usage);
}
