import { Times, type TimesReport } from "./times.ts";

/** Why ratings that were due are not sent. */
export const obstacles = [
  // Each movie has a rating that was not seen yet.
  "no_movie_free",
  // Too many ratings are on their way to the mart.
  "unseen",
  // Too many requests wait for an answer.
  "unanswered",
  // Drawing the ratings, or this machine, was too slow.
  "late",
] as const;
export type Obstacle = (typeof obstacles)[number];

export interface LiveReport {
  seconds: number;
  sent: number;
  /** Ratings that were due and not sent. */
  not_sent: Partial<Record<Obstacle, number>>;
  /** Ratings that Kafka has. */
  acknowledged: number;
  /** Ratings that ingest answered with an error, by HTTP status; `none` where no answer came. */
  refused: Record<string, number>;
  /** Acknowledged and seen in the mart. */
  visible: number;
  /** Acknowledged and not seen. */
  missing: number;
  /** Counted by the mart beyond what was posted. */
  doubled: number;
  /** Milliseconds from sending to the answer, and to being seen in the mart. */
  acknowledged_ms: TimesReport | null;
  visible_ms: TimesReport | null;
}

/** What became of the ratings of a span of time. */
export class Tally {
  #startedAt = performance.now();
  readonly #acknowledgedTimes = new Times();
  readonly #visibleTimes = new Times();
  readonly #refused: Record<string, number> = {};
  readonly #notSent: LiveReport["not_sent"] = {};
  #endedAt: number | undefined;
  #acknowledged = 0;
  #visible = 0;
  sent = 0;
  doubled = 0;

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get missing(): number {
    return this.#acknowledged - this.#visible;
  }

  acknowledge(milliseconds: number): void {
    this.#acknowledged += 1;
    this.#acknowledgedTimes.add(milliseconds);
  }

  refuse(status: string): void {
    this.#refused[status] = (this.#refused[status] ?? 0) + 1;
  }

  see(milliseconds: number): void {
    this.#visible += 1;
    this.#visibleTimes.add(milliseconds);
  }

  /** Ratings were due and are not sent. */
  leaveOut(obstacle: Obstacle, ratings: number): void {
    if (ratings > 0) this.#notSent[obstacle] = (this.#notSent[obstacle] ?? 0) + ratings;
  }

  /** The first is sent now. */
  beginSending(): void {
    this.#startedAt = performance.now();
  }

  /** Nothing more is sent. */
  endSending(): void {
    this.#endedAt = performance.now();
  }

  report(): LiveReport {
    return {
      seconds: ((this.#endedAt ?? performance.now()) - this.#startedAt) / 1000,
      sent: this.sent,
      not_sent: { ...this.#notSent },
      acknowledged: this.#acknowledged,
      refused: { ...this.#refused },
      visible: this.#visible,
      missing: this.missing,
      doubled: this.doubled,
      acknowledged_ms: this.#acknowledgedTimes.report(),
      visible_ms: this.#visibleTimes.report(),
    };
  }
}
