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

/** Longer than others wait for them: the loader's groups 10 s, the tasks 10 s for ingest, Spark's master 60 s for a worker. */
const stops: readonly { service: ServiceToKill; milliseconds: number }[] = [
  { service: "loader", milliseconds: 14_000 },
  { service: "ingest", milliseconds: 14_000 },
  { service: "spark-worker", milliseconds: 65_000 },
];

/** What happens to one run, in the order of time: each service dies once at most, and at most one is stopped. */
export function chaosPlan(random: Random32, actions: number, withinMilliseconds: number): ChaosAction[] {
  const left = [...servicesToKill];
  const take = () => left.splice(random.below(left.length), 1);
  const planned: ChaosAction[] = [];
  if (random.below(2) === 0) {
    const stop = stops[random.below(stops.length)];
    if (stop) {
      left.splice(left.indexOf(stop.service), 1);
      const { service, milliseconds } = stop;
      planned.push({ at: random.below(withinMilliseconds), kind: "stop", services: [service], milliseconds });
    }
  }
  while (planned.length < actions && left.length > 0) {
    const services = random.below(3) === 0 ? [...take(), ...take()] : take();
    planned.push({ at: random.below(withinMilliseconds), kind: "kill", services, milliseconds: 0 });
  }
  return planned.sort((a, b) => a.at - b.at);
}
