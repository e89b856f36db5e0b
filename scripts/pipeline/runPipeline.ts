import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { datasetNames } from "@boxoffice/contracts/dataset";
import { job } from "@boxoffice/contracts/job";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import { BoxError } from "../boxError.ts";
import type { Box } from "../openBox.ts";
import { s3Settings } from "../s3Settings.ts";
import { setting } from "../settings.ts";
import { bar, clear, dim, line, transient } from "../terminal.ts";
import { AirflowApi, type RunRequest } from "./airflowApi.ts";
import { type HopLine, readFailure, readHops, secondsAtWork } from "./hopReports.ts";

export interface RunOutcome {
  runId: string;
  hops: HopLine[];
  seconds: number;
  /** Seconds in which no hop was at work: Airflow starting tasks. */
  waitingSeconds: number;
}

const pollMilliseconds = 500;

/** `20261123-195000-1f2e`: sorts by time, and two in one second differ. */
export function newRunId(now: Date = new Date()): string {
  const stamp = now.toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${stamp}-${randomBytes(2).toString("hex")}`;
}

/** Triggers a run of the pipeline in Airflow and shows each hop as it ends. Throws when the run fails. */
export async function runPipeline(
  box: Box,
  request: Omit<RunRequest, "run_id">,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const airflow = new AirflowApi(box.environment);
  const lake = new ObjectStore(s3Settings(box.environment));
  const runId = newRunId();
  try {
    await waitForDag(airflow, signal);
    await airflow.trigger({ run_id: runId, ...request });
    line(`Run ${runId}`);
    return await follow({ box, airflow, lake, runId, signal });
  } finally {
    lake.close();
  }
}

async function waitForDag(airflow: AirflowApi, signal: AbortSignal): Promise<void> {
  for (let tries = 0; tries < 120; tries += 1) {
    if (await airflow.hasDag("boxoffice")) return;
    transient("  … waiting for Airflow to read the DAGs");
    await sleep(pollMilliseconds, undefined, { signal });
  }
  throw new BoxError("Airflow has not read the DAGs after 60 s; see ./box logs airflow-dag-processor");
}

interface Following {
  box: Box;
  airflow: AirflowApi;
  lake: ObjectStore;
  runId: string;
  signal: AbortSignal;
}

async function follow({ box, airflow, lake, runId, signal }: Following): Promise<RunOutcome> {
  const from = Date.now();
  const shown = new Set<string>();
  line(
    dim(
      `  ${"hop".padEnd(16)}${"rows in".padStart(12)}${"rows out".padStart(12)}${"dropped".padStart(9)}${"seconds".padStart(9)}`,
    ),
  );
  while (true) {
    signal.throwIfAborted();
    const run = await airflow.run("boxoffice", runId);
    const hops = await readHops(lake, runId);
    for (const hop of hops) {
      if (shown.has(hop.name)) continue;
      shown.add(hop.name);
      line(hopText(hop));
    }
    if (run?.state === "failed") await fail(lake, runId);
    if (run?.state === "success") {
      clear();
      const to = Date.now();
      return {
        runId,
        hops,
        seconds: (to - from) / 1000,
        waitingSeconds: (to - from) / 1000 - secondsAtWork(hops, from, to),
      };
    }
    transient(`  … ${await progressText(box, runId)} ${dim(`${((Date.now() - from) / 1000).toFixed(0)} s`)}`);
    await sleep(pollMilliseconds, undefined, { signal }).catch(() => {});
  }
}

function hopText(hop: HopLine): string {
  const count = (n: number, width: number) => n.toLocaleString("en").padStart(width);
  const note = hop.note === "" ? "" : dim(`  ${hop.note}`);
  return `  ${hop.name.padEnd(16)}${count(hop.rowsIn, 12)}${count(hop.rowsOut, 12)}${count(hop.dropped, 9)}${hop.seconds.toFixed(1).padStart(9)}${note}`;
}

async function fail(lake: ObjectStore, runId: string): Promise<never> {
  const failure = await readFailure(lake, runId);
  const what = failure
    ? `${failure.task}: ${failure.message}`
    : "Airflow says the run failed and no task said why; see ./box logs airflow-scheduler";
  throw new BoxError(`run ${runId} failed, and what was published stays.\n${what}`);
}

/** How far the ingests that run have come, or that Airflow is at work. */
async function progressText(box: Box, runId: string): Promise<string> {
  const running: string[] = [];
  for (const dataset of datasetNames) {
    const url = `${setting(box.environment, "INGEST_URL")}/loads/${runId}.${dataset}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (!response?.ok) continue;
    const { state, progress } = job.parse(await response.json());
    if (state !== "running") continue;
    running.push(
      progress.total
        ? `${dataset} ${bar(progress.done / progress.total)}`
        : `${dataset} ${progress.done} ${progress.unit}`,
    );
  }
  return running.length > 0 ? running.join("  ") : "at work";
}
