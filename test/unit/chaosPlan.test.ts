import { expect, test } from "vitest";
import { Random32 } from "../../scripts/random32.ts";
import {
  chaosPlan,
  isOverBefore,
  limitSeconds,
  liveForm,
  liveRoad,
  longForm,
  planMilliseconds,
  servicesToKill,
} from "../docker/chaosPlan.ts";

const plans = (seed: number) => {
  const random = new Random32(seed);
  return Array.from({ length: 40 }, () => chaosPlan(random, 9, 40_000));
};

test("a seed repeats what happens to every run, and another seed does something else", () => {
  expect(plans(1)).toEqual(plans(1));
  expect(plans(1)).not.toEqual(plans(2));
});

test("every service dies in some run, two at once in some, and those that can be thought dead are stopped in some", () => {
  const actions = plans(7).flat();
  const killed = actions.filter(({ kind }) => kind === "kill");
  expect(new Set(killed.flatMap(({ services }) => services)).size).toBe(servicesToKill.length);
  expect(killed.some(({ services }) => services.length === 2)).toBe(true);
  const stopped = actions.filter(({ kind }) => kind === "stop").flatMap(({ services }) => services);
  expect(new Set(stopped)).toEqual(new Set(["loader", "ingest", "spark-worker"]));
});

test("only what is back within seconds dies several times in a run", () => {
  const many = chaosPlan(new Random32(5), 40, 40_000).flatMap(({ services }) => services);
  const times = new Map(servicesToKill.map((service) => [service, many.filter((name) => name === service).length]));
  expect(times.get("warehouse")).toBeGreaterThan(1);
  expect(times.get("airflow-api-server")).toBe(1);
});

test("a service that is stopped does not die in that run, and all of it happens in its time", () => {
  for (const plan of plans(3)) {
    expect(plan).toHaveLength(9);
    const [stopped] = plan.flatMap(({ kind, services }) => (kind === "stop" ? services : []));
    for (const { kind, services } of plan)
      expect(kind === "kill" && services.some((name) => name === stopped)).toBe(false);
    const moments = plan.map(({ at }) => at);
    expect(moments).toEqual(moments.toSorted((a, b) => a - b));
    expect(Math.max(...moments)).toBeLessThan(40_000);
  }
});

test("the long form leaves a quarter of an hour some time for live ratings, and three of its four runs have as many kills as it must", () => {
  const { seconds, actions, fewestKills } = longForm;
  expect(limitSeconds(seconds)).toBe(820);
  const milliseconds = planMilliseconds(actions);
  expect(Math.floor((seconds * 1000) / milliseconds)).toBe(4);
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = new Random32(seed);
    const planned = Array.from({ length: 3 }, () => chaosPlan(random, actions, milliseconds)).flat();
    const killed = planned.flatMap(({ kind, services }) => (kind === "kill" ? services : []));
    expect(killed.length).toBeGreaterThan(fewestKills);
  }
});

test("while live ratings are posted one service on their road is stopped in time, and each of the others dies", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const { actions, milliseconds, fewestKills } = liveForm;
    const plan = chaosPlan(new Random32(seed), actions, milliseconds, liveRoad);
    expect(plan).toHaveLength(actions);
    const stops = plan.filter(({ kind }) => kind === "stop");
    expect(stops).toHaveLength(1);
    for (const stop of stops) expect(isOverBefore(stop, stop.at, milliseconds)).toBe(true);
    const killed = plan.flatMap(({ kind, services }) => (kind === "kill" ? services : []));
    const [stopped] = stops.flatMap(({ services }) => services);
    expect(new Set(killed)).toEqual(new Set(liveRoad.services.filter((service) => service !== stopped)));
    expect(killed.length).toBeGreaterThan(fewestKills);
  }
});

test("nobody is stopped for longer than there is time", () => {
  expect(isOverBefore({ milliseconds: 65_000 }, 0, 65_001)).toBe(true);
  expect(isOverBefore({ milliseconds: 65_000 }, 0, 65_000)).toBe(false);
  expect(isOverBefore({ milliseconds: 0 }, 1, 1)).toBe(false);
});
