import { basename } from "node:path/posix";
import { datasetName } from "@boxoffice/contracts/dataset";
import type { Job } from "@boxoffice/contracts/job";
import { runId } from "@boxoffice/contracts/job";
import { loadId } from "@boxoffice/contracts/loadId";
import { httpServer } from "@boxoffice/platform/httpServer";
import type { Jobs } from "@boxoffice/platform/jobs";
import type { FastifyInstance } from "fastify";
import type pg from "pg";
import type { Logger } from "pino";
import { z } from "zod";
import { runDeadLetters } from "./deadLetters.ts";
import { requireHop } from "./hopReports.ts";
import { type FixLive, fixInputs } from "./inputs.ts";
import { publish } from "./publish.ts";
import { type SealParts, sealLoad } from "./seal.ts";
import { loadVersion } from "./version.ts";
import { publishedRun } from "./warehouse.ts";

const sealRequest = z.object({ run_id: runId, dataset: datasetName, load_id: loadId });
const versionRequest = z.object({ run_id: runId });
const inputsRequest = z.object({ run_id: runId, allow_older: z.boolean().optional() });
const jobPath = z.object({ id: z.string() });
const deadLettersQuery = z.object({ run_id: runId.optional() });

export interface LoaderParts {
  seal: SealParts;
  pool: pg.Pool;
  seals: Jobs;
  versions: Jobs;
  fixLive: FixLive;
  /** Called when a load of the dataset has been sealed. */
  onSealed: (dataset: z.infer<typeof datasetName>) => void;
  /** Called when a run has been published. */
  onPublished: () => void;
  notReady: () => Promise<string[]>;
  log: Logger;
}

/**
 * `POST /seals` seals a load when bronze has all of it, `POST /versions` copies a run's gold into the warehouse: both
 * start a job or return the one that runs, and `GET /seals/{id}` and `GET /versions/{id}` tell how far it is.
 * `POST /inputs` fixes what a run reads, `POST /publications` publishes it or refuses to, and `GET /dead-letters` shows
 * those of its loads.
 */
export function loaderServer({ seal, pool, seals, versions, fixLive, ...parts }: LoaderParts): FastifyInstance {
  const { lake } = seal;
  const server = httpServer({ log: parts.log, notReady: parts.notReady });

  server.post("/seals", async (request, reply) => {
    const wanted = sealRequest.parse(request.body);
    const job = seals.start(`${wanted.run_id}.${wanted.dataset}.${wanted.load_id}`, async (context) => {
      const sealed = await sealLoad(seal, wanted, context);
      parts.onSealed(wanted.dataset);
      return sealed;
    });
    return reply.code(202).send(job);
  });
  serveJobs("/seals/:id", seals);

  server.post("/inputs", async (request) =>
    fixInputs(lake, await publishedRun(pool), inputsRequest.parse(request.body), fixLive),
  );

  server.post("/versions", async (request, reply) => {
    const { run_id } = versionRequest.parse(request.body);
    // A later try of the same run wrote another prefix, and is another job.
    const { prefix = "" } = await requireHop(lake, run_id, "gold");
    // A version that was loaded may have been swept since; what is still there is only counted.
    const job = versions.start(`${run_id}.${basename(prefix)}`, (context) => loadVersion(lake, pool, run_id, context), {
      again: true,
    });
    return reply.code(202).send(job);
  });
  serveJobs("/versions/:id", versions);

  server.post("/publications", async (request) => {
    const publication = await publish(lake, pool, inputsRequest.parse(request.body), parts.log);
    parts.onPublished();
    return publication;
  });

  server.get("/dead-letters", async (request) => {
    const { run_id = await publishedRun(pool) } = deadLettersQuery.parse(request.query);
    return run_id === null ? { dead_letters: [], total: 0 } : runDeadLetters(lake, run_id);
  });

  function serveJobs(path: string, jobs: Jobs): void {
    server.get(path, async (request, reply): Promise<Job | undefined> => {
      const { id } = jobPath.parse(request.params);
      const job = jobs.get(id);
      if (job) return job;
      const message = `there is no job ${id}; a restarted service forgets its jobs: post it again`;
      return reply.code(404).send({ error: { code: "no_such_job", message, retryable: false } });
    });
  }

  return server;
}
