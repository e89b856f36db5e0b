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

/** Repeats what happens: `CHAOS_SEED`, else another one each time. */
export const chaosSeed = () => Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** As `./box test --chaos` has it. */
export const longForm = { seconds: 560, actions: 60, fewestKills: 200 };

/** While live ratings are posted. */
export const liveForm = { actions: 18, milliseconds: 30_000, fewestKills: 8 };

/** Whatever is begun has ended by then: a run that was disturbed, its services' return, and a run in place of a failed one. */
const settleSeconds = 260;

/** No longer does it take when things happen for so many seconds; the long form, with live ratings, a quarter of an hour. */
export const limitSeconds = (seconds: number) => Math.max(600, seconds + settleSeconds);

/** Within which time what is planned for a run happens: a run takes 40 s where nothing disturbs it, and the longer the more often it is. */
export const planMilliseconds = (actions: number) => Math.max(40_000, actions * 2_000);

/** Whether an action that begins now is over in time. */
export const isOverBefore = ({ milliseconds }: Pick<ChaosAction, "milliseconds">, now: number, end: number) =>
  now + milliseconds < end;

/** Whom a plan is about. */
interface Targets {
  services: readonly ServiceToKill[];
  /** Of which one may be stopped, and for how long. */
  stops: readonly { service: ServiceToKill; milliseconds: number }[];
  /** Whether one is stopped for certain, and each of the others dies. */
  sure: boolean;
}

/** Longer than others wait for them: the loader's groups 10 s, the tasks 10 s for ingest, Spark's master 60 s for a worker. */
const everyService: Targets = {
  services: servicesToKill,
  stops: [
    { service: "loader", milliseconds: 14_000 },
    { service: "ingest", milliseconds: 14_000 },
    { service: "spark-worker", milliseconds: 65_000 },
  ],
  sure: false,
};

/** Where single ratings pass. Longer than others wait: who posts 5 s for ingest, ingest 2 s for Kafka, the group 6 s for a loader. */
export const liveRoad: Targets = {
  services: ["ingest", "kafka", "loader", "warehouse", "s3"],
  stops: [
    { service: "ingest", milliseconds: 9_000 },
    { service: "kafka", milliseconds: 9_000 },
    { service: "loader", milliseconds: 9_000 },
  ],
  sure: true,
};

/** Those that are back within seconds: they die more often, and several times in a run. */
const quick: readonly ServiceToKill[] = ["ingest", "loader", "s3", "spark-worker", "warehouse"];

/** What happens to one run, in the order of time; one service at most is stopped, and does not die in that run. */
export function chaosPlan(
  random: Random32,
  actions: number,
  withinMilliseconds: number,
  { services, stops, sure }: Targets = everyService,
): ChaosAction[] {
  const planned: ChaosAction[] = [];
  const mayStop = random.below(2) === 0 || sure;
  const stop = mayStop ? stops[random.below(stops.length)] : undefined;
  if (stop) {
    const { service, milliseconds } = stop;
    // One that begins too late to be over in time is left out.
    const at = random.below(withinMilliseconds - (sure ? milliseconds : 0));
    planned.push({ at, kind: "stop", services: [service], milliseconds });
  }
  const mayDie = (service: ServiceToKill) => services.includes(service) && service !== stop?.service;
  const left = [...servicesToKill, ...quick, ...quick].filter(mayDie);
  const planKill = (killed: ServiceToKill[]) =>
    planned.push({ at: random.below(withinMilliseconds), kind: "kill", services: killed, milliseconds: 0 });
  const takeOut = (service: ServiceToKill) => {
    if (!quick.includes(service)) left.splice(left.indexOf(service), 1);
    return service;
  };
  if (sure) for (const service of services.filter(mayDie)) planKill([takeOut(service)]);
  const draw = () => takeOut(left[random.below(left.length)] ?? "loader");
  while (planned.length < actions) planKill([...new Set(random.below(4) === 0 ? [draw(), draw()] : [draw()])]);
  return planned.sort((a, b) => a.at - b.at);
}
