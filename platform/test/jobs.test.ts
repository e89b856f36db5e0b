import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type JobContext, Jobs } from "@boxoffice/platform/jobs";
import { pino } from "pino";
import { expect, test } from "vitest";

const quiet = pino({ level: "silent" });
const ended = (jobs: Jobs, id: string) => expect.poll(() => jobs.get(id)?.state).not.toBe("running");

test("a job that runs is the answer to the same request, one that failed is done again, one that is done only where asked", async () => {
  const jobs = new Jobs(quiet);
  let calls = 0;
  let finish = () => {};
  const work = () =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      calls += 1;
      finish = () => (calls === 1 ? reject(new Error("no")) : resolve({ calls }));
    });
  jobs.start("a", work);
  expect(jobs.start("a", work, { again: true }).state).toBe("running");
  finish();
  await ended(jobs, "a");
  expect(jobs.get("a")).toMatchObject({ state: "failed", error: { code: "unexpected", message: "no" } });

  jobs.start("a", work);
  finish();
  await ended(jobs, "a");
  expect(jobs.start("a", work)).toMatchObject({ state: "done", result: { calls: 2 } });
  expect(jobs.start("a", work, { again: true }).state).toBe("running");
  finish();
  await ended(jobs, "a");
  expect(jobs.get("a")).toMatchObject({ state: "done", result: { calls: 3 } });
});

test("the latest jobs that ended are known, and one that runs is, however long ago it began", async () => {
  const jobs = new Jobs(quiet);
  jobs.start("long", (context) => new Promise((_resolve, reject) => context.signal.addEventListener("abort", reject)));
  for (let n = 0; n < 400; n += 1) jobs.start(`job ${n}`, async () => ({}));
  await ended(jobs, "job 399");
  expect(jobs.get("long")?.state).toBe("running");
  expect([99, 100, 399].map((n) => jobs.get(`job ${n}`)?.state)).toEqual([undefined, "done", "done"]);
  await jobs.close();
  expect(jobs.get("long")).toMatchObject({ state: "failed", error: { code: "stopped", retryable: true } });
});

const untilStopped = ({ signal }: JobContext) =>
  new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));

test("a job that nobody asks for any more is stopped and says so; one that is asked for, or asked how it is, goes on", async () => {
  const jobs = new Jobs(quiet, 20);
  jobs.start("left", untilStopped);
  jobs.start("asked how it is", untilStopped);
  jobs.start("asked for", untilStopped);
  for (let looks = 0; looks < 20; looks += 1) {
    await sleep(20);
    expect(jobs.get("asked how it is")?.state).toBe("running");
    expect(jobs.start("asked for", untilStopped).state).toBe("running");
  }
  expect(jobs.get("left")).toMatchObject({ state: "failed", error: { code: "unasked", retryable: true } });
  expect(jobs.start("left", async () => ({ again: true })).state).toBe("running");
  await ended(jobs, "left");
  expect(jobs.get("left")?.state).toBe("done");
  await jobs.close();
});

test("a service that was held for long stops no job that is asked for as soon as it goes on", async () => {
  const jobs = new Jobs(quiet, 20);
  jobs.start("waited for", untilStopped);
  const end = performance.now() + 500;
  while (performance.now() < end);
  await sleep(10);
  expect(jobs.get("waited for")?.state).toBe("running");
  await sleep(40);
  expect(jobs.get("waited for")?.state).toBe("running");
  await jobs.close();
});

test("of what was thrown the code and the message are logged, and not the rows that it may hold", async () => {
  const lines = new PassThrough();
  const jobs = new Jobs(pino(lines));
  const detail = "Key (user_id)=(7) exists.";
  jobs.start("a", () => Promise.reject(Object.assign(new Error("duplicate key"), { detail })));
  await ended(jobs, "a");
  const logged = String(lines.read());
  expect(JSON.parse(logged)).toMatchObject({ job: "a", error: { code: "unexpected", message: "duplicate key" } });
  expect(logged).not.toContain("user_id");
});
