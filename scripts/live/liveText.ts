import { type LiveReport, type Obstacle, obstacles } from "./tally.ts";
import type { TimesReport } from "./times.ts";

const whole = (n: number) => Math.round(n).toLocaleString("en");

const obstacleText: Record<Obstacle, string> = {
  no_movie_free: "no movie free: each has a rating that was not seen",
  unseen: "too many not seen yet",
  unanswered: "too many requests unanswered",
  late: "drawing, or this machine, too slow",
};

/** A line for what happened so far. */
export function liveLine({ seconds, sent, not_sent, acknowledged, refused, missing, visible_ms }: LiveReport): string {
  const rate = seconds > 0 ? sent / seconds : 0;
  const seen = visible_ms ? `visible p50 ${whole(visible_ms.p50)} ms, p99 ${whole(visible_ms.p99)} ms` : "none visible";
  return [
    `${seconds.toFixed(0)} s`,
    `${whole(rate)} ratings/s`,
    `${whole(acknowledged)} acknowledged`,
    seen,
    `${whole(missing)} on their way`,
    ...(sumOf(refused) > 0 ? [`${whole(sumOf(refused))} refused`] : []),
    ...(sumOf(not_sent) > 0 ? [`${whole(sumOf(not_sent))} not sent`] : []),
  ].join("  ");
}

/** The whole report for a person. */
export function liveText(report: LiveReport): string {
  const { seconds, sent, acknowledged, refused, visible, missing, doubled } = report;
  const refusals = Object.entries(refused).map(([status, count]) => `${whole(count)} with ${status}`);
  const notSent = obstacles.flatMap((obstacle) => {
    const count = report.not_sent[obstacle];
    return count === undefined ? [] : [`${whole(count)} with ${obstacleText[obstacle]}`];
  });
  return [
    `rate          ${whole(seconds > 0 ? sent / seconds : 0)} ratings/s, ${whole(sent)} in ${seconds.toFixed(1)} s`,
    `not sent      ${notSent.length === 0 ? "0" : notSent.join("; ")}`,
    `acknowledged  ${whole(acknowledged)}, ${timesText(report.acknowledged_ms)}`,
    `refused       ${refusals.length === 0 ? "0" : refusals.join(", ")}`,
    `visible       ${whole(visible)}, ${timesText(report.visible_ms)}`,
    `missing       ${whole(missing)}`,
    `doubled       ${whole(doubled)}`,
  ].join("\n");
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function timesText(times: TimesReport | null): string {
  return times
    ? `after p50 ${times.p50.toFixed(0)} ms, p99 ${times.p99.toFixed(0)} ms, at most ${times.max.toFixed(0)} ms`
    : "no time to tell";
}
