import { setTimeout as sleep } from "node:timers/promises";
import { type Answers, answers } from "@boxoffice/contracts/answers";
import { expect, it } from "vitest";
import { Random32 } from "../../scripts/random32.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import {
  type ChaosAction,
  chaosPlan,
  isOverBefore,
  limitSeconds,
  longForm,
  planMilliseconds,
  servicesToKill,
} from "./chaosPlan.ts";
import { box, docker } from "./composeBox.ts";

const seconds = Number(process.env.CHAOS_SECONDS ?? 60);
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const actionsPerRun = Number(process.env.CHAOS_ACTIONS ?? 8);
const limitMilliseconds = limitSeconds(seconds) * 1000;
const fewestKills = seconds < longForm.seconds ? 1 : longForm.fewestKills;

const random = new Random32(seed);
const tally = { runs: 0, failed: 0, kills: 0, stops: 0, lost: 0, doubled: 0 };

/**
 * Sends a signal to every process of a service but the first, which ends with its child; Docker starts it again.
 * Answers whether there was one to send it to.
 */
async function signal(service: string, name: "KILL" | "STOP" | "CONT"): Promise<boolean> {
  const { code } = await box.compose(["exec", "-T", service, "sh", "-c", `kill -${name} -1`]);
  // 137: the shell was killed too. Any other code: the service was just being started again.
  return code === 137 || code === 0;
}

async function act({ kind, services, milliseconds }: ChaosAction): Promise<void> {
  if (kind === "kill") {
    const killed = await Promise.all(services.map((service) => signal(service, "KILL")));
    tally.kills += killed.filter(Boolean).length;
    return;
  }
  for (const service of services) {
    if (!(await signal(service, "STOP"))) continue;
    tally.stops += 1;
    await sleep(milliseconds);
    await signal(service, "CONT");
  }
}

interface Disturbed {
  run: number;
  hasEnded: () => boolean;
  /** When nothing is to happen any more. */
  end: number;
}

/** Does what is planned for a run, until it or the time has ended; resolves when nobody is stopped any more. */
async function disturb(plan: readonly ChaosAction[], { run, hasEnded, end }: Disturbed): Promise<void> {
  const begin = Date.now();
  const acting: Promise<void>[] = [];
  for (const action of plan) {
    const at = Math.min(begin + action.at, end);
    await sleep(Math.max(0, at - Date.now()));
    if (hasEnded() || Date.now() >= end) break;
    if (!isOverBefore(action, Date.now(), end)) continue;
    const { kind, services, milliseconds } = action;
    const lasting = kind === "stop" ? ` for ${milliseconds / 1000} s` : "";
    const when = ((Date.now() - begin) / 1000).toFixed(1);
    console.log(`CHAOS_SEED=${seed} run ${run}, ${when} s: ${kind} ${services.join(" and ")}${lasting}`);
    acting.push(act(action));
  }
  await Promise.all(acting);
}

async function isHealthy(): Promise<boolean> {
  const states = await docker(
    "inspect",
    "--format",
    "{{.Name}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}",
    ...(await box.containers(...servicesToKill)),
  );
  return states
    .trim()
    .split("\n")
    .every((state) => state.endsWith("running healthy"));
}

/** Adds up by how many rows the counts of a run differ from those of an undisturbed one, at every hop. */
function count(found: Answers["counts"], expected: Answers["counts"]): void {
  for (const dataset of Object.keys(expected) as (keyof typeof expected)[]) {
    for (const hop of ["source_rows", "dead_letters", "bronze", "silver"] as const) {
      const difference = found[dataset][hop] - expected[dataset][hop];
      if (difference < 0) tally.lost -= difference;
      else tally.doubled += difference;
    }
  }
}

it(
  `whatever dies in ${seconds} s, no row is lost or doubled (CHAOS_SEED=${seed})`,
  async () => {
    const end = Date.now() + seconds * 1000;
    const expected = answers.parse({ ...JSON.parse(certifiedAnswers()), run_id: "none" }).counts;
    const run = () => box.attempt("run", "--full-refresh", "--allow-older");
    while (Date.now() < end) {
      const began = Date.now();
      tally.runs += 1;
      const running = run();
      let hasEnded = false;
      void running.finally(() => {
        hasEnded = true;
      });
      const plan = chaosPlan(random, actionsPerRun, planMilliseconds(actionsPerRun));
      await disturb(plan, { run: tally.runs, hasEnded: () => hasEnded, end });
      const { code, stderr } = await running;
      await expect.poll(isHealthy, { timeout: 180_000, interval: 1_000, message: "all is healthy again" }).toBe(true);
      if (code !== 0) {
        tally.failed += 1;
        // It says why, and leaves what was published; the same again completes.
        expect(stderr).toMatch(/^box: /m);
        console.log(stderr.slice(stderr.search(/^box: /m)));
        const again = await run();
        expect(again, again.stderr).toMatchObject({ code: 0 });
      }
      const printed = await box.command("answers", "--json");
      count(answers.parse(JSON.parse(printed)).counts, expected);
      const took = `${((Date.now() - began) / 1000).toFixed(0)} s`;
      const figures = Object.entries(tally).map(([name, figure]) => `${name} ${figure}`);
      console.log(`run ${tally.runs} ${code === 0 ? "completed" : "failed and completed again"}, ${took}`);
      console.log(`${figures.join(", ")} (CHAOS_SEED=${seed})`);
      expect(withoutRunId(printed)).toBe(certifiedAnswers());
    }
    expect(tally).toMatchObject({ lost: 0, doubled: 0 });
    expect(tally.kills).toBeGreaterThanOrEqual(fewestKills);
  },
  limitMilliseconds,
);
