import { httpServer } from "@boxoffice/platform/httpServer";
import type { Jobs } from "@boxoffice/platform/jobs";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { z } from "zod";
import { type LiveServices, liveRatingsRoute } from "./liveRatings.ts";
import { type LoadServices, loadIfThere, loadRequest } from "./load.ts";

export interface IngestServer {
  jobs: Jobs;
  loads: LoadServices;
  live: LiveServices;
  log: Logger;
  notReady: () => Promise<string[]>;
}

const jobAddress = z.object({ id: z.string() });

/**
 * `POST /loads` starts a load or returns the one that runs; `GET /loads/{id}` tells how far it is; `POST /ratings`
 * takes single ratings.
 */
export function ingestServer({ jobs, loads, live, log, notReady }: IngestServer): FastifyInstance {
  const server = httpServer({ log, notReady });
  liveRatingsRoute(server, live);

  server.post("/loads", async (request, reply) => {
    const wanted = loadRequest.parse(request.body);
    // Slices may be lost after the load has ended, and then its seal fails; a load that is sealed is only found again.
    const job = jobs.start(`${wanted.run_id}.${wanted.dataset}`, (context) => loadIfThere(wanted, loads, context), {
      again: true,
    });
    return reply.code(202).send(job);
  });

  server.get("/loads/:id", async (request, reply) => {
    const { id } = jobAddress.parse(request.params);
    const job = jobs.get(id);
    if (job) return job;
    const error = new ServiceError(
      "unknown_load",
      `no load ${id} was asked for since this service started: post it again`,
    );
    return reply.code(404).send({ error: { code: error.code, message: error.message, retryable: false } });
  });

  return server;
}
