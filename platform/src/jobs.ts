import type { Job } from "@boxoffice/contracts/job";
import type { Logger } from "pino";
import { ServiceError } from "./serviceError.ts";

/** What a job is given: when it must end, and whom it tells how far it is (`total` null: nobody knows). */
export interface JobContext {
  signal: AbortSignal;
  progress: (done: number, total: number | null, unit: string) => void;
}

export interface StartOptions {
  /** Whether a job that is done is done again, for work whose outcome may be lost afterwards. */
  again?: boolean;
}

const mostEnded = 300;

/** The work a service has been asked for, by id: at most one job of an id runs, and the latest that ended are known. */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The latest job of that id, or undefined when none is known. */
  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Starts the work, or returns the job of that id that runs or is done. */
  start(
    id: string,
    work: (context: JobContext) => Promise<Record<string, unknown>>,
    { again = false }: StartOptions = {},
  ): Job {
    const existing = this.#jobs.get(id);
    if (existing?.state === "running" || (existing?.state === "done" && !again)) return existing;
    const job: Job = {
      id,
      state: "running",
      progress: { done: 0, total: null, unit: "rows" },
      started_at: new Date().toISOString(),
    };
    this.#jobs.set(id, job);
    const run = this.#run(job, work).finally(() => this.#running.delete(run));
    this.#running.add(run);
    return job;
  }

  async #run(job: Job, work: (context: JobContext) => Promise<Record<string, unknown>>): Promise<void> {
    const log = this.#log.child({ job: job.id });
    try {
      job.result = await work({
        signal: this.#abort.signal,
        progress: (done, total, unit) => {
          job.progress = { done, total, unit };
        },
      });
      job.state = "done";
      log.info({ result: job.result }, "job done");
    } catch (thrown) {
      const error = ServiceError.from(thrown);
      job.error = { code: error.code, message: error.message, retryable: error.retryable };
      job.state = "failed";
      // Not what was thrown: an error of the warehouse may hold rows.
      log.error({ error: job.error }, "job failed");
    }
    job.finished_at = new Date().toISOString();
    this.#forgetOld(job);
  }

  /** Keeps the jobs that ended latest, the given one as the last of them. */
  #forgetOld(last: Job): void {
    this.#jobs.delete(last.id);
    this.#jobs.set(last.id, last);
    const ended = [...this.#jobs.values()].filter(({ state }) => state !== "running");
    for (const { id } of ended.slice(0, -mostEnded)) this.#jobs.delete(id);
  }

  /** Aborts what runs and waits for it to end. */
  async close(): Promise<void> {
    this.#abort.abort(new ServiceError("stopped", "the service is stopping", { retryable: true }));
    await Promise.allSettled(this.#running);
  }
}
