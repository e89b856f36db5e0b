import { basename } from "node:path";
import { datasetNames } from "@boxoffice/contracts/dataset";
import { job, type Progress, progress } from "@boxoffice/contracts/job";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { setting, type Variables } from "../settings.ts";
import { bar } from "../terminal.ts";
import type { HopLine } from "./hopReports.ts";

/** How far the hop that is at work has come, as its service tells; the hop's name alone where none does. */
export async function progressText(
  environment: Variables,
  lake: ObjectStore,
  runId: string,
  hops: readonly HopLine[],
  ingests = true,
): Promise<string> {
  const done = new Set(hops.map(({ name }) => name));
  if (ingests && !done.has("silver")) {
    const loads = await Promise.all(datasetNames.map((dataset) => loadProgress(environment, runId, dataset, hops)));
    const underWay = loads.filter((text) => text !== undefined);
    if (underWay.length > 0) return underWay.join("  ");
    // A run that appends has loads of some datasets only.
    if ((await hopProgress(lake, runId, "silver")) === undefined) return "ingest";
  }
  for (const hop of ["silver", "gold"]) {
    if (!done.has(hop)) return `${hop} ${(await hopProgress(lake, runId, hop)) ?? ""}`;
  }
  if (!done.has("warehouse")) {
    const attempt = basename(hops.find(({ name }) => name === "gold")?.prefix ?? "");
    const text = await jobProgress(`${setting(environment, "LOADER_URL")}/versions/${runId}.${attempt}`);
    return `warehouse ${text ?? ""}`;
  }
  return done.has("dbt") ? "publish" : `dbt ${(await hopProgress(lake, runId, "dbt")) ?? ""}`;
}

async function loadProgress(environment: Variables, runId: string, dataset: string, hops: readonly HopLine[]) {
  const loadId = hops.find(({ name }) => name === `ingest.${dataset}`)?.loadId;
  const url =
    loadId === undefined
      ? `${setting(environment, "INGEST_URL")}/loads/${runId}.${dataset}`
      : `${setting(environment, "LOADER_URL")}/seals/${runId}.${dataset}.${loadId}`;
  const text = await jobProgress(url);
  return text && `${loadId === undefined ? "ingest" : "bronze"} ${dataset} ${text}`;
}

/** The bar of a job that runs; undefined for one that does not. */
async function jobProgress(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    if (!response.ok) return undefined;
    const { state, progress } = job.parse(await response.json());
    return state === "running" ? progressBar(progress) : undefined;
  } catch {
    // Progress is for show; the run goes on without it.
    return undefined;
  }
}

/** The bar of a hop that writes its progress to the lake; undefined for one that has not begun. */
async function hopProgress(lake: ObjectStore, runId: string, hop: string): Promise<string | undefined> {
  const told = await lake.json(lakeKeys.progress(runId, hop), progress).catch(() => undefined);
  return told && progressBar(told);
}

function progressBar({ done, total, unit }: Progress): string {
  if (total) return bar(done / total);
  return done > 0 ? `${done} ${unit}` : "";
}
