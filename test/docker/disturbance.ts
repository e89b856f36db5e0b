import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { type ChaosAction, isOverBefore, servicesToKill } from "./chaosPlan.ts";
import { box, docker } from "./composeBox.ts";

/** How many services were killed, and how many stopped. */
export interface DisturbanceTally {
  kills: number;
  stops: number;
}

export interface Disturbed {
  /** What each line that tells of an action begins with. */
  label: string;
  /** Whether nothing is left to disturb. */
  hasEnded: () => boolean;
  /** When nothing is to happen any more. */
  end: number;
}

/** Does what is planned, until what is disturbed or the time has ended; resolves when nobody is stopped any more. */
export async function disturb(
  plan: readonly ChaosAction[],
  { label, hasEnded, end }: Disturbed,
  tally: DisturbanceTally,
): Promise<void> {
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
    console.log(`${label}, ${when} s: ${kind} ${services.join(" and ")}${lasting}`);
    acting.push(act(action, tally));
  }
  await Promise.all(acting);
}

/** Resolves when every service that may have been killed or stopped is healthy. */
export async function healthyAgain(): Promise<void> {
  await expect.poll(isHealthy, { timeout: 180_000, interval: 1_000, message: "all is healthy again" }).toBe(true);
}

async function act({ kind, services, milliseconds }: ChaosAction, tally: DisturbanceTally): Promise<void> {
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

/**
 * Sends a signal to every process of a service but the first, which ends with its child; Docker starts it again.
 * Answers whether there was one to send it to.
 */
async function signal(service: string, name: "KILL" | "STOP" | "CONT"): Promise<boolean> {
  const { code } = await box.compose(["exec", "-T", service, "sh", "-c", `kill -${name} -1`]);
  // 137: the shell was killed too. Any other code: the service was just being started again.
  return code === 137 || code === 0;
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
