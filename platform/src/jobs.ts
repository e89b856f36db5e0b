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

interface Running {
  stop: AbortController;
  ended: Promise<void>;
  /** How often nobody had asked for it since it was looked at before. */
  unasked: number;
}

const mostEnded = 300;

/** Two minutes: who waits for a job asks each second, and gives up by itself when nobody answers for one. */
const lookMilliseconds = 30_000;
const mostUnasked = 4;

/**
 * The work a service has been asked for, by id: at most one job of an id runs, and the latest that ended are known. A job
 * that nobody asks for any more is stopped, as when its task was killed or its run has ended.
 */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Map<Job, Running>();
  readonly #log: Logger;
  readonly #looking: NodeJS.Timeout;

  constructor(log: Logger, everyMilliseconds = lookMilliseconds) {
    this.#log = log;
    // Looks are counted, not time: a process that was held for long hears who has asked before it looks twice.
    this.#looking = setInterval(() => this.#stopUnasked(), everyMilliseconds).unref();
  }

  /** The latest job of that id, or undefined when none is known. One that runs goes on as long as it is asked for. */
  get(id: string): Job | undefined {
    const job = this.#jobs.get(id);
    const running = job && this.#running.get(job);
    if (running) running.unasked = 0;
    return job;
  }

  /** Starts the work, or returns the job of that id that runs or is done. */
  start(
    id: string,
    work: (context: JobContext) => Promise<Record<string, unknown>>,
    { again = false }: StartOptions = {},
  ): Job {
    const existing = this.get(id);
    if (existing?.state === "running" || (existing?.state === "done" && !again)) return existing;
    const job: Job = {
      id,
      state: "running",
      progress: { done: 0, total: null, unit: "rows" },
      started_at: new Date().toISOString(),
    };
    this.#jobs.set(id, job);
    const stop = new AbortController();
    const ended = this.#run(job, work, stop.signal).finally(() => this.#running.delete(job));
    this.#running.set(job, { stop, ended, unasked: 0 });
    return job;
  }

  async #run(
    job: Job,
    work: (context: JobContext) => Promise<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<void> {
    const log = this.#log.child({ job: job.id });
    try {
      job.result = await work({
        signal,
        progress: (done, total, unit) => {
          job.progress = { done, total, unit };
        },
      });
      job.state = "done";
      log.info({ result: job.result }, "job done");
    } catch (thrown) {
      // What is aborted throws many things; why it was is known here.
      const error = ServiceError.from(signal.aborted ? signal.reason : thrown);
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

  #stopUnasked(): void {
    for (const [{ id }, running] of this.#running) {
      running.unasked += 1;
      if (running.unasked > mostUnasked) running.stop.abort(unasked(id));
    }
  }

  /** Aborts what runs and waits for it to end. */
  async close(): Promise<void> {
    clearInterval(this.#looking);
    const running = [...this.#running.values()];
    const reason = new ServiceError("stopped", "the service is stopping", { retryable: true });
    for (const { stop } of running) stop.abort(reason);
    await Promise.allSettled(running.map(({ ended }) => ended));
  }
}

function unasked(id: string): ServiceError {
  const message = `nobody asked for job ${id} any more: its task was ended, or its run was. Asked for again it begins anew`;
  return new ServiceError("unasked", message, { retryable: true });
}
