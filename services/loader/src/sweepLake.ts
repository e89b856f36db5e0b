import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Logger } from "pino";
import { z } from "zod";
import { longestRunMilliseconds } from "./endedRun.ts";
import { readHop } from "./hopReports.ts";

const layers: readonly string[] = [lakeKeys.silver, lakeKeys.gold];

interface RunObjects {
  keys: string[];
  bytes: number;
  /** When something was written last, milliseconds since 1970. */
  newest: number;
}

/**
 * Deletes what the tries of a run left in silver and gold, once the warehouse keeps the run no more and it has ended:
 * nothing was written since it was published, or for a day. What a kept run shares stays too, and the reports of all. What
 * fails is done by the next sweep.
 */
export async function sweepLake(
  lake: ObjectStore,
  kept: ReadonlySet<string>,
  log: Logger,
  now: number = Date.now(),
): Promise<void> {
  const needed = await runsOfParts(lake, kept);
  for (const [run_id, { keys, bytes, newest }] of await runsInLake(lake)) {
    if (kept.has(run_id) || needed.has(run_id)) continue;
    if (newest > now - longestRunMilliseconds && newest >= (await publishedAt(lake, run_id))) continue;
    await lake.delete(keys);
    log.info({ run_id, objects: keys.length, bytes }, "silver and gold of a run swept");
  }
}

/** The runs that wrote what the given runs share. */
async function runsOfParts(lake: ObjectStore, runs: Iterable<string>): Promise<Set<string>> {
  const needed = new Set<string>();
  for (const run of runs) {
    for (const hop of ["silver", "gold"]) {
      const report = await readHop(lake, run, hop);
      for (const { added, replaced } of Object.values(report?.parts ?? {})) {
        for (const prefix of [...added, ...replaced]) {
          const [layer, runId = ""] = prefix.split("/");
          // A part may also be a load in bronze, which stays anyway.
          if (layers.includes(`${layer}/`)) needed.add(runId);
        }
      }
    }
  }
  return needed;
}

/** Both layers together: while a run writes one of them it reads the other. */
async function runsInLake(lake: ObjectStore): Promise<Map<string, RunObjects>> {
  const runs = new Map<string, RunObjects>();
  for (const layer of layers) {
    for await (const { key, bytes, modified } of lake.list(layer)) {
      const runId = key.slice(layer.length).split("/", 1)[0] ?? "";
      const run = runs.get(runId) ?? { keys: [], bytes: 0, newest: 0 };
      runs.set(runId, run);
      run.keys.push(key);
      run.bytes += bytes;
      run.newest = Math.max(run.newest, modified.getTime());
    }
  }
  return runs;
}

const publication = z.object({ published: z.boolean(), started_at: z.iso.datetime(), seconds: z.number() });

/** When a run was published, in milliseconds since 1970; 0 when it was not, or its report does not say. */
async function publishedAt(lake: ObjectStore, runId: string): Promise<number> {
  const report = await lake.json(lakeKeys.hop(runId, "publish"), publication);
  return report?.published ? Date.parse(report.started_at) : 0;
}
