import { basename } from "node:path";
import { dbtReport, hopReport } from "@boxoffice/contracts/hopReport";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { z } from "zod";

export const failureReport = z.object({
  run_id: z.string(),
  dag: z.string(),
  task: z.string(),
  code: z.string().nullish(),
  message: z.string(),
  /** Whether Airflow tries the task again. */
  tried_again: z.boolean().default(false),
  at: z.string(),
});
export type FailureReport = z.infer<typeof failureReport>;

const failureEvent = /run_failure (\{.*\})/;

/** The failure that a task's log tells last: there it is too when the lake takes no report. */
export function failureOfLog(events: readonly string[]): FailureReport | undefined {
  const told = events.findLast((event) => failureEvent.test(event));
  const document = told && failureEvent.exec(told)?.[1];
  return document ? failureReport.parse(JSON.parse(document)) : undefined;
}

/** A hop of a run as a person reads it. */
export interface HopLine {
  name: string;
  rowsIn: number;
  rowsOut: number;
  dropped: number;
  note: string;
  startedAt: number;
  seconds: number;
  /** The load that the hop is about, where it is about one. */
  loadId?: string;
  /** Where the hop wrote in the lake. */
  prefix?: string;
}

const notHops = ["inputs", "failure"];

/** Of reports that were read, by key: whoever looks again and again reads each once, where the store tells their ETags. */
export type KnownReports = Map<string, { etag: string; line: HopLine }>;

/** The hops a run has finished, in the order they began. */
export async function readHops(lake: ObjectStore, runId: string, known: KnownReports = new Map()): Promise<HopLine[]> {
  const hops: HopLine[] = [];
  for await (const { key, etag } of lake.list(lakeKeys.run(runId))) {
    const name = basename(key, ".json");
    if (!key.endsWith(".json") || notHops.includes(name)) continue;
    const before = known.get(key);
    const line = before && before.etag === etag ? before.line : await readHop(lake, key, name);
    if (!line) continue;
    if (etag !== undefined) known.set(key, { etag, line });
    hops.push(line);
  }
  return hops.sort((a, b) => a.startedAt - b.startedAt);
}

function readHop(lake: ObjectStore, key: string, name: string): Promise<HopLine | undefined> {
  return lake.json(key, name === "dbt" ? dbtReport.transform(dbtLine) : hopReport.transform(hopLine));
}

function dbtLine(report: z.infer<typeof dbtReport>): HopLine {
  return {
    name: "dbt",
    rowsIn: report.models,
    rowsOut: report.models,
    dropped: 0,
    note: `${report.tests_passed} tests passed, ${report.failures.length} failed`,
    startedAt: Date.parse(report.started_at),
    seconds: report.seconds,
  };
}

function hopLine(report: z.infer<typeof hopReport>): HopLine {
  const rows = Object.values(report.rows);
  const sum = (pick: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + pick(row), 0);
  const reasons: Record<string, number> = {};
  for (const { dropped } of rows) {
    for (const [reason, count] of Object.entries(dropped)) reasons[reason] = (reasons[reason] ?? 0) + count;
  }
  const named = Object.entries(reasons).filter(([, count]) => count > 0);
  const notes = named.map(([reason, count]) => `${reason} ${count.toLocaleString("en")}`);
  if (report.goes_on_from !== undefined) notes.push(`goes on from ${report.goes_on_from}`);
  if (report.in_full_because !== undefined) notes.push(`in full: ${report.in_full_because}`);
  return {
    name: report.hop,
    rowsIn: sum((row) => row.rows_in),
    rowsOut: sum((row) => row.rows_out),
    dropped: named.reduce((total, [, count]) => total + count, 0),
    note: notes.join(", "),
    startedAt: Date.parse(report.started_at),
    seconds: report.seconds,
    ...(report.load_id === undefined ? {} : { loadId: report.load_id }),
    ...(report.prefix === undefined ? {} : { prefix: report.prefix }),
  };
}

/** Why a run failed, as its task reported it. */
export function readFailure(lake: ObjectStore, runId: string): Promise<FailureReport | undefined> {
  return lake.json(lakeKeys.hop(runId, "failure"), failureReport);
}

/** Seconds between `from` and `to` (milliseconds) in which at least one hop was at work. */
export function secondsAtWork(hops: readonly HopLine[], from: number, to: number): number {
  let covered = 0;
  let reached = from;
  for (const { startedAt, seconds } of [...hops].sort((a, b) => a.startedAt - b.startedAt)) {
    const end = Math.min(startedAt + seconds * 1000, to);
    const begin = Math.max(startedAt, reached);
    if (end > begin) covered += end - begin;
    reached = Math.max(reached, end);
  }
  return covered / 1000;
}
