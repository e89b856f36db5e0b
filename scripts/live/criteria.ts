import type { LiveReport } from "./tally.ts";

/** What may be asked of a drive. */
export interface Criteria {
  /** Milliseconds from sending to the mart that 99 of 100 ratings may take at most. */
  p99?: number | undefined;
  /** Ratings per second that must be sent at least, over the time that was asked for. */
  leastRate?: number | undefined;
}

/** A line for each criterion that a drive of so many seconds does not meet. */
export function unmetCriteria(report: LiveReport, seconds: number, { p99, leastRate }: Criteria): string[] {
  const unmet: string[] = [];
  const reached = report.visible_ms?.p99;
  if (p99 !== undefined && (reached === undefined || reached > p99)) {
    const found = reached === undefined ? "none was visible" : `p99 is ${reached.toFixed(0)} ms`;
    unmet.push(`not visible in time: ${found}, at most ${p99} ms were asked for`);
  }
  const rate = report.sent / seconds;
  if (leastRate !== undefined && rate < leastRate)
    unmet.push(`not sent fast enough: ${rate.toFixed(2)} ratings/s, at least ${leastRate} were asked for`);
  return unmet;
}
