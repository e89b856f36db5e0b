import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { runInputs } from "@boxoffice/contracts/runInputs";
import { AirflowApi, type DagRun, type RunRequest, type Task } from "@boxoffice/platform/airflowApi";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { airflowSettings } from "../airflowSettings.ts";
import { BoxError, exitCode } from "../boxError.ts";
import type { BoxClient } from "../openBox.ts";
import { openLake } from "../openLake.ts";
import { clear, dim, isTerminal, line, transient, yellow } from "../terminal.ts";
import {
  type FailureReport,
  failureOfLog,
  type HopLine,
  type KnownReports,
  readFailure,
  readHops,
  secondsAtWork,
} from "./hopReports.ts";
import { progressText } from "./progress.ts";

export interface RunOutcome {
  runId: string;
  hops: HopLine[];
  seconds: number;
  /** Seconds in which no hop was at work: Airflow starting tasks. */
  waitingSeconds: number;
}

const pollMilliseconds = 500;
const patienceMilliseconds = 60_000;
/** A run that is alone begins sooner. */
const queuedMilliseconds = 5_000;

/** `20261123-195000-1f2e`: sorts by time, and two in one second differ. */
export function newRunId(now: Date = new Date()): string {
  const stamp = now.toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${stamp}-${randomBytes(2).toString("hex")}`;
}

/** Triggers a run of the pipeline in Airflow and shows each hop as it ends. Throws when the run fails. */
export async function runPipeline(
  box: BoxClient,
  request: Omit<RunRequest, "run_id">,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const airflow = new AirflowApi({ ...airflowSettings(box.environment), signal });
  const lake = await openLake(box.environment);
  const runId = newRunId();
  try {
    await waitForDag(airflow, signal);
    await begin(airflow, { run_id: runId, ...request }, signal);
    line(`Run ${runId}`);
    return await follow({ box, airflow, lake, runId, signal, ingests: !request.reuse_loads });
  } finally {
    lake.close();
  }
}

/** Follows the run that Airflow is at, or has next in its queue, as `runPipeline` does; none when there is none. */
export async function followActiveRun(box: BoxClient, signal: AbortSignal): Promise<RunOutcome | undefined> {
  const airflow = new AirflowApi({ ...airflowSettings(box.environment), signal });
  const active = (await airflow.runs("boxoffice")).filter(({ state }) => state === "running" || state === "queued");
  const run = active.find(({ state }) => state === "running") ?? active.at(-1);
  if (!run) return undefined;
  const lake = await openLake(box.environment);
  try {
    line(`Run ${run.dag_run_id}, which Airflow has begun`);
    return await follow({ box, airflow, lake, runId: run.dag_run_id, signal, ingests: true });
  } finally {
    lake.close();
  }
}

async function waitForDag(airflow: AirflowApi, signal: AbortSignal): Promise<void> {
  for (let tries = 0; tries < 120; tries += 1) {
    const isKnown = await airflow.hasDag("boxoffice").catch((error: unknown) => {
      // While it starts it answers with errors, or not at all.
      if (error instanceof ServiceError && error.retryable && !signal.aborted) return false;
      throw error;
    });
    if (isKnown) return;
    transient("  … waiting for Airflow to read the DAGs");
    await pause(signal);
  }
  throw new BoxError("Airflow has not read the DAGs after 60 s; see ./box logs airflow-dag-processor");
}

async function begin(airflow: AirflowApi, request: RunRequest, signal: AbortSignal): Promise<void> {
  const isNew = await airflow.trigger(request).catch((error) => {
    throw signal.aborted ? interrupted(request.run_id, "may have begun") : error;
  });
  if (!isNew) throw new BoxError(`Airflow has a run ${request.run_id} already`);
}

interface Following {
  box: BoxClient;
  airflow: AirflowApi;
  lake: ObjectStore;
  runId: string;
  signal: AbortSignal;
  ingests: boolean;
}

async function follow(following: Following): Promise<RunOutcome> {
  const { box, airflow, lake, runId, signal, ingests } = following;
  const from = Date.now();
  let answeredAt = from;
  const shown = new Set<string>();
  const known: KnownReports = new Map();
  let notes: string[] | undefined;
  let saysItWaits = false;
  let toldFailure: string | undefined;
  line(
    dim(
      `  ${"hop".padEnd(16)}${"rows in".padStart(12)}${"rows out".padStart(12)}${"dropped".padStart(9)}${"seconds".padStart(9)}`,
    ),
  );
  while (true) {
    if (signal.aborted) throw interrupted(runId);
    let state: DagRun["state"];
    let hops: HopLine[];
    let failure: FailureReport | undefined;
    try {
      ({ state, hops, failure } = await poll(following, known));
      if (notes === undefined) {
        notes = (await lake.json(lakeKeys.hop(runId, "inputs"), runInputs))?.notes;
        for (const note of notes ?? []) line(`  ${yellow("note")} ${note}`);
      }
      answeredAt = Date.now();
    } catch (error) {
      if (signal.aborted) throw interrupted(runId);
      if (Date.now() - answeredAt > patienceMilliseconds) throw lost(runId, error);
      transient("  … waiting for the box to answer");
      await pause(signal);
      continue;
    }
    if (state === "queued" && !saysItWaits && Date.now() - from > queuedMilliseconds) {
      saysItWaits = true;
      line(dim("  waits for the run before it: they go one after the other"));
    }
    for (const hop of hops) {
      // A run that is refused writes this report too.
      if (shown.has(hop.name) || (hop.name === "publish" && state !== "success")) continue;
      shown.add(hop.name);
      line(hopText(hop));
    }
    if (failure?.tried_again && failure.at !== toldFailure) {
      toldFailure = failure.at;
      line(`  ${yellow("again")} ${failure.task} failed, and Airflow tries it again: ${failure.message}`);
    }
    if (state === "failed") await fail(airflow, lake, runId);
    if (state === "success") {
      clear();
      const to = Date.now();
      return {
        runId,
        hops,
        seconds: (to - from) / 1000,
        waitingSeconds: (to - from) / 1000 - secondsAtWork(hops, from, to),
      };
    }
    // Asking how far a hop has come takes time of the services; nobody would see it elsewhere.
    if (isTerminal) {
      const text = await progressText(box.environment, lake, runId, hops, ingests);
      transient(`  … ${text} ${dim(`${((Date.now() - from) / 1000).toFixed(0)} s`)}`);
    }
    await pause(signal);
  }
}

/** Sleeps between two polls; an interruption ends it and is dealt with by the caller. */
async function pause(signal: AbortSignal): Promise<void> {
  await sleep(pollMilliseconds, undefined, { signal }).catch(() => {});
}

async function poll(
  { airflow, lake, runId }: Following,
  known: KnownReports,
): Promise<{ state: DagRun["state"]; hops: HopLine[]; failure: FailureReport | undefined }> {
  const run = await airflow.run("boxoffice", runId);
  if (!run) throw new BoxError(`Airflow does not tell the state of run ${runId}`);
  const [hops, failure] = await Promise.all([readHops(lake, runId, known), readFailure(lake, runId)]);
  return { state: run.state, hops, failure };
}

function interrupted(runId: string, what = "goes on"): BoxError {
  return new BoxError(
    `interrupted; run ${runId} ${what} in Airflow.\n./box status shows whether it is published, ./box answers prints what is.`,
    exitCode.interrupted,
  );
}

function lost(runId: string, cause: unknown): BoxError {
  return new BoxError(
    `run ${runId} could not be followed for ${patienceMilliseconds / 1000} s; it may go on in Airflow.\n${ServiceError.from(cause).message}`,
    exitCode.failed,
    cause,
  );
}

function hopText(hop: HopLine): string {
  const count = (n: number, width: number) => n.toLocaleString("en").padStart(width);
  const note = hop.note === "" ? "" : dim(`  ${hop.note}`);
  return `  ${hop.name.padEnd(16)}${count(hop.rowsIn, 12)}${count(hop.rowsOut, 12)}${count(hop.dropped, 9)}${hop.seconds.toFixed(1).padStart(9)}${note}`;
}

async function fail(airflow: AirflowApi, lake: ObjectStore, runId: string): Promise<never> {
  // A report may be that of a try whose retry went well.
  const failed = await airflow.tasks(runId, "failed").catch((): Task[] => []);
  const names = failed.map(({ name }) => name);
  const written = await readFailure(lake, runId).catch(() => undefined);
  const isOfFailedTask = written && (names.length === 0 || names.includes(`${written.dag}.${written.task}`));
  const failure = isOfFailedTask ? written : await failureInLogs(airflow, runId, failed);
  const what = failure ? `${failure.task}: ${failure.message}` : silence(names);
  throw new BoxError(`run ${runId} failed, and what was published stays.\n${what}`);
}

async function failureInLogs(airflow: AirflowApi, runId: string, tasks: readonly Task[]) {
  for (const task of tasks) {
    const events = await airflow.log(runId, task).catch((): string[] => []);
    const failure = failureOfLog(events);
    if (failure) return failure;
  }
  return undefined;
}

function silence(tasks: readonly string[]): string {
  const which = tasks.length > 0 ? `it failed in ${tasks.join(", ")}, which did not say why` : "no task said why";
  return `Airflow says that ${which}; see ./box logs airflow-scheduler`;
}
