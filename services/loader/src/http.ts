import { basename } from "node:path/posix";
import { datasetName } from "@boxoffice/contracts/dataset";
import { mostDeadLettersListed } from "@boxoffice/contracts/deadLetter";
import { decisionRequest } from "@boxoffice/contracts/deadLetterDecision";
import type { Job } from "@boxoffice/contracts/job";
import { runId } from "@boxoffice/contracts/job";
import { lakeKeys } from "@boxoffice/contracts/lakeKeys";
import { loadId } from "@boxoffice/contracts/loadId";
import { HttpError } from "@boxoffice/platform/httpError";
import { httpServer } from "@boxoffice/platform/httpServer";
import type { JobContext, Jobs } from "@boxoffice/platform/jobs";
import type { FastifyInstance } from "fastify";
import type pg from "pg";
import type { Logger } from "pino";
import { z } from "zod";
import { decideDeadLetter, showDeadLetter } from "./deadLetterFixes.ts";
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
const idPath = z.object({ id: z.string() });
const deadLettersQuery = z.object({
  run_id: runId.optional(),
  after: z.string().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(mostDeadLettersListed).optional(),
});

export interface LoaderParts {
  seal: SealParts;
  pool: pg.Pool;
  seals: Jobs;
  versions: Jobs;
  /** Resolves when the warehouse's tables are as versions need them. */
  untilMigrated: (signal: AbortSignal) => Promise<void>;
  fixLive: FixLive;
  /** Called when a load of the dataset has been sealed. */
  onSealed: (dataset: z.infer<typeof datasetName>) => void;
  /** Called when a run has been published. */
  onPublished: () => void;
  notReady: () => Promise<string[]>;
  log: Logger;
}

/**
 * `POST /seals` waits until bronze holds a load, `POST /versions` copies a run's gold into the warehouse: each starts a
 * job or returns the one there is, and `GET` with its id tells how far it is. `POST /inputs` fixes what a run reads,
 * `POST /publications` publishes it or answers 409 with the sums that do not agree, `GET /dead-letters` lists those
 * of a run in pages, or answers 404. `GET /dead-letters/{id}` shows one, `POST /dead-letters/{id}/fixes` decides about it.
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
    const load = async (context: JobContext) => {
      await parts.untilMigrated(context.signal);
      return loadVersion(lake, pool, run_id, context);
    };
    const job = versions.start(`${run_id}.${basename(prefix)}`, load, { again: true });
    return reply.code(202).send(job);
  });
  serveJobs("/versions/:id", versions);

  server.post("/publications", async (request) => {
    const publication = await publish(lake, pool, inputsRequest.parse(request.body), parts.log);
    parts.onPublished();
    return publication;
  });

  server.get("/dead-letters", async (request) => {
    const { run_id = await publishedRun(pool), ...wanted } = deadLettersQuery.parse(request.query);
    if (run_id === null) throw nothingPublished();
    const page = await runDeadLetters(lake, run_id, wanted);
    if (page) return page;
    throw unknownRun(run_id, await publishedRun(pool));
  });

  server.get("/dead-letters/:id", async (request) => showDeadLetter(lake, idPath.parse(request.params).id));

  server.post("/dead-letters/:id/fixes", async (request) => {
    const { id } = idPath.parse(request.params);
    return decideDeadLetter(lake, id, decisionRequest.parse(request.body));
  });

  function serveJobs(path: string, jobs: Jobs): void {
    server.get(path, async (request, reply): Promise<Job | undefined> => {
      const { id } = idPath.parse(request.params);
      const job = jobs.get(id);
      if (job) return job;
      const message = `there is no job ${id}; a restarted service forgets its jobs: post it again`;
      return reply.code(404).send({ error: { code: "no_such_job", message, retryable: false } });
    });
  }

  return server;
}

function nothingPublished(): HttpError {
  const message =
    "no run has been published yet; ./box run makes one. For another run name it: ./box dead-letters list --run RUN_ID";
  return new HttpError(404, "nothing_published", message);
}

function unknownRun(runId: string, publishedRun: string | null): HttpError {
  const published = publishedRun === null ? "no run is published" : `the published run is ${publishedRun}`;
  return new HttpError(
    404,
    "unknown_run",
    `there is no run ${runId}: nothing is in the lake below ${lakeKeys.run(runId)}\n` +
      `  expected: the id of a run that has begun; ${published}\n` +
      "  to do:    take the id from Airflow's page of the DAG boxoffice, which lists every run, or name none for the published one",
  );
}
