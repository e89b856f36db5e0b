import { httpEnvironment, readEnvironment, warehouseEnvironment } from "@boxoffice/platform/environment";
import { httpServer } from "@boxoffice/platform/httpServer";
import { serviceLog } from "@boxoffice/platform/log";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { closeOnSignal } from "@boxoffice/platform/shutdown";
import { warehousePool } from "@boxoffice/platform/warehousePool";
import { z } from "zod";
import { answersPage, waitingPage } from "./answersPage.ts";
import { readAnswers } from "./readAnswers.ts";

const environment = z.object({
  ...httpEnvironment.shape,
  ...warehouseEnvironment.shape,
  /** The folder of the queries that the answers are made of. */
  ANSWERS_DIR: z.string().min(1),
});

/** Serves the published answers: `GET /` a page, `GET /answers.json` the document of `./box answers --json`. */
async function serve(config: Readonly<z.infer<typeof environment>>): Promise<void> {
  const log = serviceLog("answers", config.LOG_LEVEL);
  const pool = warehousePool(config, {
    application: "boxoffice-answers",
    connections: 2,
    connectMilliseconds: 5_000,
    log,
  });

  const published = async () => {
    const client = await pool.connect();
    let isBroken = true;
    try {
      const answers = await readAnswers(client, config.ANSWERS_DIR);
      isBroken = false;
      return answers;
    } finally {
      client.release(isBroken);
    }
  };

  const notReady = () =>
    pool.query("select 1").then(
      () => [],
      () => ["the warehouse"],
    );
  const server = httpServer({ log, notReady });
  server.get("/", async (_request, reply) => {
    const answers = await published();
    return reply.type("text/html; charset=utf-8").send(answers ? answersPage(answers) : waitingPage());
  });
  server.get("/answers.json", async (_request, reply) => {
    const answers = await published();
    if (answers) return answers;
    return reply
      .code(404)
      .send({ error: { code: "nothing_published", message: "no run has been published yet", retryable: true } });
  });
  await server.listen({ host: config.HTTP_HOST, port: config.HTTP_PORT });
  log.info({ port: config.HTTP_PORT }, "answers is ready");
  closeOnSignal(log, [() => server.close(), () => pool.end()]);
}

try {
  await serve(readEnvironment(environment));
} catch (error) {
  process.stderr.write(`answers cannot start: ${ServiceError.from(error).message}\n`);
  process.exit(1);
}
