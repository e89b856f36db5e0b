import { basename } from "node:path";
import { datasetNames } from "@boxoffice/contracts/dataset";
import { job } from "@boxoffice/contracts/job";
import { z } from "zod";
import type { Box } from "../openBox.ts";
import { setting, type Variables } from "../settings.ts";
import { bar } from "../terminal.ts";
import type { HopLine } from "./hopReports.ts";

/** How far the hop that is at work has come, as its service tells; the hop's name alone where none does. */
export async function progressText({ environment, settings }: Box, runId: string, hops: readonly HopLine[]) {
  const done = new Set(hops.map(({ name }) => name));
  if (!done.has("silver")) {
    const loads = await Promise.all(datasetNames.map((dataset) => loadProgress(environment, runId, dataset, hops)));
    const underWay = loads.filter((text) => text !== undefined);
    if (underWay.length > 0) return underWay.join("  ");
    if (!datasetNames.every((dataset) => done.has(`bronze.${dataset}`))) return "ingest";
  }
  if (!done.has("gold")) return `${done.has("silver") ? "gold" : "silver"} ${await sparkProgress(settings)}`;
  if (!done.has("warehouse")) {
    const attempt = basename(hops.find(({ name }) => name === "gold")?.prefix ?? "");
    const text = await jobProgress(`${setting(environment, "LOADER_URL")}/versions/${runId}.${attempt}`);
    return `warehouse ${text ?? ""}`;
  }
  return done.has("dbt") ? "publish" : "dbt";
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
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  if (!response?.ok) return undefined;
  const { state, progress } = job.parse(await response.json());
  if (state !== "running") return undefined;
  return progress.total ? bar(progress.done / progress.total) : `${progress.done} ${progress.unit}`;
}

const applications = z.array(z.object({ id: z.string() }));
const stages = z.array(z.object({ numTasks: z.number(), numCompleteTasks: z.number() }));

/** Tasks done of the Spark stages that are active, by the REST API of Spark's own page. */
async function sparkProgress(settings: Variables): Promise<string> {
  const api = `http://127.0.0.1:${setting(settings, "SPARK_CONNECT_UI_PORT")}/api/v1/applications`;
  try {
    const [application] = applications.parse(await getJson(api));
    if (!application) return "";
    const active = stages.parse(await getJson(`${api}/${application.id}/stages?status=active`));
    const total = active.reduce((sum, { numTasks }) => sum + numTasks, 0);
    const done = active.reduce((sum, { numCompleteTasks }) => sum + numCompleteTasks, 0);
    return total === 0 ? "" : `${done} of ${total} tasks of the stages at work`;
  } catch {
    // Progress is for show; the run goes on without it.
    return "";
  }
}

async function getJson(url: string): Promise<unknown> {
  return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).json();
}
