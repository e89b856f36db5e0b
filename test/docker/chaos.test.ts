import { setTimeout as sleep } from "node:timers/promises";
import { answers } from "@boxoffice/contracts/answers";
import { expect, it } from "vitest";
import { Random32 } from "../../scripts/random32.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { box, docker } from "./composeBox.ts";

const services = [
  ...["ingest", "loader", "kafka", "s3", "warehouse", "spark-worker", "spark-connect", "spark-master"],
  ...["airflow-scheduler", "airflow-api-server", "airflow-db"],
];
const seconds = Number(process.env.CHAOS_SECONDS ?? 60);
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** A run takes about half a minute; killed at this pace it meets two or three deaths. */
const longestPause = 25_000;

const random = new Random32(seed);

/** Kills every process of a service but the first, which ends with its child; Docker starts it again. */
async function kill(service: string): Promise<boolean> {
  const { code } = await box.compose(["exec", "-T", service, "sh", "-c", "kill -9 -1"]);
  // 137: the shell was killed too. Any other code: the service was just being started again.
  return code === 137 || code === 0;
}

async function isHealthy(): Promise<boolean> {
  const states = await docker(
    "inspect",
    "--format",
    "{{.Name}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}",
    ...(await box.containers(...services)),
  );
  return states
    .trim()
    .split("\n")
    .every((state) => state.endsWith("running healthy"));
}

it(`whatever dies in ${seconds} s, no row is lost or doubled (CHAOS_SEED=${seed})`, async () => {
  const end = Date.now() + seconds * 1000;
  const expected = answers.parse({ ...JSON.parse(certifiedAnswers()), run_id: "none" }).counts;
  const tally = { runs: 0, failed: 0, kills: 0, lost: 0, doubled: 0 };
  while (Date.now() < end) {
    const running = box.attempt("run", "--full-refresh", "--allow-older");
    let isOver = false;
    void running.finally(() => {
      isOver = true;
    });
    while (!isOver && Date.now() < end) {
      await sleep(random.below(longestPause));
      const service = services[random.below(services.length)] ?? "loader";
      if (!isOver && (await kill(service))) tally.kills++;
    }
    const { code, stderr } = await running;
    tally.runs++;
    await expect.poll(isHealthy, { timeout: 180_000, interval: 1_000, message: "all is healthy again" }).toBe(true);
    if (code !== 0) {
      tally.failed++;
      // It says why, and leaves what was published; the same again completes.
      expect(stderr).toMatch(/^box: /m);
      const again = await box.attempt("run", "--full-refresh", "--allow-older");
      expect(again, again.stderr).toMatchObject({ code: 0 });
    }
    const printed = await box.command("answers", "--json");
    const { counts } = answers.parse(JSON.parse(printed));
    for (const dataset of Object.keys(expected) as (keyof typeof expected)[]) {
      const difference = counts[dataset].silver - expected[dataset].silver;
      if (difference < 0) tally.lost -= difference;
      else tally.doubled += difference;
    }
    expect(withoutRunId(printed)).toBe(certifiedAnswers());
    console.log(JSON.stringify(tally));
  }
  expect(tally).toMatchObject({ lost: 0, doubled: 0 });
  expect(tally.kills).toBeGreaterThan(0);
}, 3_600_000);
