import Fastify, { type FastifyBaseLogger, type FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { ZodError } from "zod";
import { HttpError } from "./httpError.ts";
import { ServiceError } from "./serviceError.ts";

const mostIssuesTold = 100;

/** The status of errors that the service is to blame for, and not the state of what was asked about. */
const ownFaults: Readonly<Record<string, number>> = { unexpected: 500, disk_full: 507 };

export interface HttpServerOptions {
  log: Logger;
  /** Names what is not reachable; empty when the service can work. */
  notReady: () => Promise<string[]>;
}

/** A server with `GET /healthz` (the process answers) and `GET /readyz` (what it needs answers too), and errors as JSON. */
export function httpServer({ log, notReady }: HttpServerOptions): FastifyInstance {
  const requestLog: FastifyBaseLogger = log.child({}, { level: "warn" });
  const server = Fastify({ loggerInstance: requestLog, bodyLimit: 1 << 20 });
  server.get("/healthz", async () => ({ status: "ok" }));
  server.get("/readyz", async (_request, reply) => {
    const missing = await notReady();
    return reply
      .code(missing.length === 0 ? 200 : 503)
      .send({ status: missing.length === 0 ? "ready" : "waiting", missing });
  });
  server.setErrorHandler((thrown, request, reply) => {
    if (thrown instanceof ZodError) {
      const told = thrown.issues.slice(0, mostIssuesTold);
      const issues = told.map(({ path, message }) => ({ path: path.join("."), message }));
      return reply
        .code(400)
        .send({ error: { code: "bad_request", message: "the request is not as expected", issues, retryable: false } });
    }
    if (thrown instanceof HttpError) {
      const { status, code, message, retryable, retryAfterSeconds } = thrown;
      if (status === 500) log.error({ error: { code, message } }, "request failed");
      if (retryAfterSeconds !== undefined) reply.header("retry-after", String(Math.ceil(retryAfterSeconds)));
      return reply.code(status).send({ error: { code, message, retryable } });
    }
    const status = (thrown as { statusCode?: number }).statusCode;
    if (status === 413) {
      const message = `the body has more than the ${request.routeOptions.bodyLimit} bytes that are taken at once: send less`;
      return reply.code(413).send({ error: { code: "too_large", message, retryable: false } });
    }
    if (status !== undefined && status < 500) {
      return reply
        .code(status)
        .send({ error: { code: "bad_request", message: (thrown as Error).message, retryable: false } });
    }
    const { code, message, retryable } = ServiceError.from(thrown);
    const ownFault = ownFaults[code];
    if (ownFault !== undefined) log.error({ error: { code, message } }, "request failed");
    return reply.code(ownFault ?? 409).send({ error: { code, message, retryable } });
  });
  return server;
}
