import { type Answers, answers } from "@boxoffice/contracts/answers";
import { expect, it } from "vitest";
import { Random32 } from "../../scripts/random32.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { chaosPlan, chaosSeed, limitSeconds, longForm, planMilliseconds } from "./chaosPlan.ts";
import { box } from "./composeBox.ts";
import { disturb, healthyAgain } from "./disturbance.ts";

const seconds = Number(process.env.CHAOS_SECONDS ?? 60);
const seed = chaosSeed();
const actionsPerRun = Number(process.env.CHAOS_ACTIONS ?? 8);
const limitMilliseconds = limitSeconds(seconds) * 1000;
const fewestKills = seconds < longForm.seconds ? 1 : longForm.fewestKills;

const random = new Random32(seed);
const tally = { runs: 0, failed: 0, kills: 0, stops: 0, lost: 0, doubled: 0 };

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
      const label = `CHAOS_SEED=${seed} run ${tally.runs}`;
      await disturb(plan, { label, hasEnded: () => hasEnded, end }, tally);
      const { code, stderr } = await running;
      await healthyAgain();
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
