import type { Random32 } from "../../scripts/random32.ts";

export type ServiceToKill = (typeof servicesToKill)[number];

/** One thing that happens to a run. */
export interface ChaosAction {
  /** Milliseconds after the run began. */
  at: number;
  kind: "kill" | "stop";
  /** Two at once, sometimes. */
  services: ServiceToKill[];
  /** How long they are stopped. */
  milliseconds: number;
}

export const servicesToKill = [
  ...(["ingest", "loader", "kafka", "s3", "warehouse", "spark-worker", "spark-connect", "spark-master"] as const),
  ...(["airflow-scheduler", "airflow-api-server", "airflow-db"] as const),
];

/** As `./box test --chaos` has it. */
export const longForm = { seconds: 640, actions: 60, fewestKills: 200 };

/** Whatever is begun has ended by then: a run that was disturbed, its services' return, and a run in place of a failed one. */
const settleSeconds = 260;

/** No longer does it take when things happen for so many seconds; the long form a quarter of an hour. */
export const limitSeconds = (seconds: number) => Math.max(600, seconds + settleSeconds);

/** Within which time what is planned for a run happens: a run takes 40 s where nothing disturbs it, and the longer the more often it is. */
export const planMilliseconds = (actions: number) => Math.max(40_000, actions * 2_000);

/** Whether an action that begins now is over in time. */
export const isOverBefore = ({ milliseconds }: Pick<ChaosAction, "milliseconds">, now: number, end: number) =>
  now + milliseconds < end;

/** Longer than others wait for them: the loader's groups 10 s, the tasks 10 s for ingest, Spark's master 60 s for a worker. */
const stops: readonly { service: ServiceToKill; milliseconds: number }[] = [
  { service: "loader", milliseconds: 14_000 },
  { service: "ingest", milliseconds: 14_000 },
  { service: "spark-worker", milliseconds: 65_000 },
];

/** Those that are back within seconds: they die more often, and several times in a run. */
const quick: readonly ServiceToKill[] = ["ingest", "loader", "s3", "spark-worker", "warehouse"];

/** What happens to one run, in the order of time; one service at most is stopped, and does not die in that run. */
export function chaosPlan(random: Random32, actions: number, withinMilliseconds: number): ChaosAction[] {
  const planned: ChaosAction[] = [];
  const stop = random.below(2) === 0 ? stops[random.below(stops.length)] : undefined;
  if (stop) {
    const { service, milliseconds } = stop;
    planned.push({ at: random.below(withinMilliseconds), kind: "stop", services: [service], milliseconds });
  }
  const left = [...servicesToKill, ...quick, ...quick].filter((service) => service !== stop?.service);
  const draw = () => {
    const service = left[random.below(left.length)] ?? "loader";
    if (!quick.includes(service)) left.splice(left.indexOf(service), 1);
    return service;
  };
  while (planned.length < actions) {
    const services = new Set(random.below(4) === 0 ? [draw(), draw()] : [draw()]);
    planned.push({ at: random.below(withinMilliseconds), kind: "kill", services: [...services], milliseconds: 0 });
  }
  return planned.sort((a, b) => a.at - b.at);
}
