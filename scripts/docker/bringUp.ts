import { setTimeout as sleep } from "node:timers/promises";
import { BoxError, exitCode } from "../boxError.ts";
import { interruption, uninterrupted } from "../interrupt.ts";
import { green, line, step, transient } from "../terminal.ts";
import { type Container, compose, containers, inspectContainers } from "./compose.ts";
import { explained } from "./explained.ts";
import { isReady, oneShots } from "./readiness.ts";

/** What ends so often while it starts will not be ready: the engine starts it again sooner than anybody could. */
const mostRestarts = 4;

/**
 * Starts services, all when none is named, and waits until they are ready; names each when it is. When the user
 * interrupts, those end again that did not run before. One that ends again and again is not waited for.
 */
export async function bringUp(services: readonly string[]): Promise<void> {
  const before = await containers();
  const known = new Set(before.filter(isReady).map(({ Service }) => Service));
  let isDone = false;
  const giveUp = new AbortController();
  const signal = AbortSignal.any([interruption, giveUp.signal]);
  const up = ["up", "--detach", "--wait", "--remove-orphans", ...services];
  const ended = compose(up, {}, { signal }).finally(() => {
    isDone = true;
  });
  ended.catch(() => {});
  const atFirst = new Map<string, number>();
  let failing: Container | undefined;
  while (!isDone) {
    const waiting = await showProgress(known);
    failing ??= await restartsAgain(waiting, atFirst);
    if (failing) giveUp.abort(new BoxError(`${failing.Service} ends again and again`));
    await Promise.race([sleep(1_000), ended.catch(() => {})]);
  }
  await ended.catch(async (error) => {
    throw interruption.aborted ? await stopBegun(before) : await startFailure(error, failing);
  });
  await showProgress(known);
}

/** One of the containers that has ended, and that the engine has started again too often since it was looked at first. */
async function restartsAgain(
  waiting: readonly Container[],
  atFirst: Map<string, number>,
): Promise<Container | undefined> {
  const names = waiting.map(({ Name }) => Name);
  for (const [name, count] of await inspectContainers(names, "{{.RestartCount}}")) {
    const first = atFirst.get(name) ?? Number(count);
    atFirst.set(name, first);
    const container = waiting.find(({ Name, State }) => Name === name && State !== "running");
    if (container && Number(count) - first >= mostRestarts) return container;
  }
  return undefined;
}

/** Names each service once, when it is ready; answers the containers of those that are not. */
async function showProgress(known: Set<string>): Promise<Container[]> {
  const all = await containers().catch(() => []);
  for (const container of all) {
    if (!isReady(container) || known.has(container.Service)) continue;
    known.add(container.Service);
    line(`  ${green("ok")} ${container.Service}`);
  }
  const waiting = all.filter(({ Service }) => !known.has(Service));
  const names = new Set(waiting.map(({ Service }) => Service));
  if (names.size > 0) transient(`  … waiting for ${[...names].join(", ")}`);
  return waiting;
}

/** Stops the services that did not run before, and answers what to tell whoever interrupted. */
async function stopBegun(before: readonly Container[]): Promise<unknown> {
  const hasEnded = ({ State }: Container) => ["created", "exited", "dead"].includes(State);
  const ranBefore = new Set(before.filter((container) => !hasEnded(container)).map(({ Service }) => Service));
  let begun: string[] = [];
  try {
    const now = await containers({ signal: uninterrupted });
    // One that is only created may be about to start: Compose ends at once, the engine does what it was asked for.
    const isBegun = ({ Service, State }: Container) => State !== "exited" && !ranBefore.has(Service);
    begun = [...new Set(now.filter(isBegun).map(({ Service }) => Service))].sort();
    if (begun.length === 0) return interruption.reason;
    await step("Stopping what was begun", () => compose(["stop", ...begun], {}, { signal: uninterrupted }));
    return new BoxError(`interrupted; stopped again: ${begun.join(", ")}`, exitCode.interrupted);
  } catch (cause) {
    const what = begun.join(", ") || "what was begun";
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `interrupted, and ${what} could not be stopped; ./box down ends all of the box.\n${reason}`;
    return new BoxError(text, exitCode.interrupted, cause);
  }
}

/** Why the containers did not come up, with the log of the one that failed. */
async function startFailure(cause: unknown, failing: Container | undefined): Promise<BoxError> {
  const all = await containers().catch(() => []);
  const failed =
    failing ??
    all.find(
      ({ Service, State, Health, ExitCode }) =>
        Health === "unhealthy" ||
        State === "restarting" ||
        (State === "exited" && (ExitCode !== 0 || !oneShots.has(Service))),
    );
  if (!failed) return explained(cause);
  const killed = failed.ExitCode === 137 ? `\n${wantOfMemory(failed.Service)}` : "";
  const tail = await compose(["logs", "--no-color", "--tail", "15", failed.Service]).catch(() => "");
  return new BoxError(
    `${failed.Service} did not start (${failed.State}, exit code ${failed.ExitCode}).${killed}\n${tail}`,
  );
}

function wantOfMemory(service: string): string {
  const variable = `${service.toUpperCase().replaceAll("-", "_")}_MEMORY`;
  return `Exit code 137: it was killed, most likely for want of memory. Give it more, e.g. ${variable}=1g ./box up, or Docker as a whole.`;
}
