import { setTimeout as sleep } from "node:timers/promises";
import { BoxError, exitCode } from "../boxError.ts";
import type { ServiceDescription } from "../composeFile.ts";
import { run } from "../install/run.ts";
import { portNames, portOffset, setting } from "../settings.ts";
import { recordStart } from "../startedBox.ts";
import { dim, green, line, seconds, transient } from "../terminal.ts";
import { logTail } from "./logTail.ts";
import { portAnswers, portHolder } from "./portHolder.ts";
import { inheritedEnvironment, runningProcess, startProcess } from "./processes.ts";
import type { Recipe, RecipeContext } from "./recipe.ts";
import { prerequisites, recipes, servedBy } from "./recipes.ts";
import { stopService } from "./stop.ts";

const usualPatienceSeconds = 120;

export interface StartOptions {
  settings: RecipeContext["settings"];
  toolchain: RecipeContext["toolchain"];
  services: Map<string, ServiceDescription>;
  /** Which services; all that have a recipe by default. What they depend on is started too. */
  only?: readonly string[];
  signal: AbortSignal;
}

/** Starts what does not run, each service when those it depends on are ready. Answers the names it started. */
export async function startServices(options: StartOptions): Promise<string[]> {
  const started: string[] = [];
  const waiting = new Set<string>();
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const pending = new Map<string, Promise<void>>();

  const start = (name: string): Promise<void> => {
    const served = servedBy[name] ?? name;
    const known = pending.get(served);
    if (known) return known;
    const work = startOne(served);
    pending.set(served, work);
    return work;
  };

  const startOne = async (name: string): Promise<void> => {
    const service = options.services.get(name);
    const recipe = recipes[name];
    if (!service || !recipe) throw new BoxError(`the embedded runtime does not know the service ${name}`);
    await Promise.all(prerequisites(service).map(start));
    signal.throwIfAborted();
    waiting.add(name);
    const begin = performance.now();
    const context = { settings: options.settings, toolchain: options.toolchain, service };
    try {
      if (await bringUp(name, recipe, context, signal, started))
        line(`  ${green("ok")} ${name} ${dim(seconds(begin))}`);
    } catch (error) {
      failure.abort(error);
      throw error;
    } finally {
      waiting.delete(name);
    }
  };

  const timer = setInterval(() => transient(`  … waiting for ${[...waiting].join(", ")}`), 250);
  try {
    await Promise.all((options.only ?? Object.keys(recipes)).map(start));
  } catch (error) {
    await Promise.allSettled(pending.values());
    for (const name of started.reverse()) await stopService(name);
    throw failure.signal.aborted ? failure.signal.reason : error;
  } finally {
    clearInterval(timer);
  }
  return started;
}

/** Answers whether it had to be started. */
async function bringUp(
  name: string,
  recipe: Recipe,
  context: RecipeContext,
  signal: AbortSignal,
  started: string[],
): Promise<boolean> {
  if (recipe.oneShot) {
    if (recipe.isDone?.(context)) return false;
    await recipe.prepare?.(context);
    const { command, args, env } = recipe.command(context);
    await run(command, args, { env: { ...inheritedEnvironment(), ...env } });
    await recipe.whenReady?.(context);
    return true;
  }
  const isRunning = runningProcess(name) !== undefined;
  if (!isRunning) {
    // Children that outlived a killed service hold its ports and its files.
    await stopService(name);
    await refuseTakenPorts(name, recipe, context);
    await recipe.prepare?.(context);
    signal.throwIfAborted();
    started.push(name);
    recordStart("embedded", context.settings, portNames());
    startProcess(name, recipe.command(context));
  }
  await waitUntilReady(name, recipe, context, signal);
  await recipe.whenReady?.(context);
  return !isRunning;
}

async function waitUntilReady(
  name: string,
  recipe: Recipe,
  context: RecipeContext,
  signal: AbortSignal,
): Promise<void> {
  const { patienceSeconds = usualPatienceSeconds } = recipe;
  const deadline = Date.now() + patienceSeconds * 1000;
  let last: unknown;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    if (!runningProcess(name))
      throw new BoxError(`${name} ended while it started. Its log ends with:\n${logTail(name)}`);
    try {
      if (await recipe.isReady(context)) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(100, undefined, { signal });
  }
  const reason = last instanceof Error ? ` (${last.message})` : "";
  throw new BoxError(`${name} was not ready after ${patienceSeconds} s${reason}. Its log ends with:\n${logTail(name)}`);
}

async function refuseTakenPorts(name: string, recipe: Recipe, { settings }: RecipeContext): Promise<void> {
  for (const variable of recipe.ports) {
    const port = Number(setting(settings, variable));
    if (!(await portAnswers(port))) continue;
    // What the user sets has no offset in it yet.
    const offset = portOffset();
    throw new BoxError(
      `${name} needs port ${port}, and ${portHolder(port)} holds it.\nEnd that process, or choose another port: ${variable}=${port - offset + 1000} ./box up (or in .env), or move all of them: BOX_PORT_OFFSET=${offset + 1000} ./box up`,
      exitCode.environment,
    );
  }
}
