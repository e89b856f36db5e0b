import type { ServiceStatus } from "../status.ts";
import { type Container, containers, inspectContainers, serviceNames } from "./compose.ts";
import { isReady, oneShots } from "./readiness.ts";

const worstFirst: readonly ServiceStatus["state"][] = ["down", "starting", "ready"];

/** The state of every service, of several containers that of the worst. */
export async function containerStatus(): Promise<ServiceStatus[]> {
  const all = await containers();
  const running = all.filter(({ State }) => State === "running").map(({ Name }) => Name);
  const starts = await inspectContainers(running, "{{.State.StartedAt}}");
  const names = (await serviceNames()).filter((name) => !oneShots.has(name));
  return names.sort().map((service) => {
    const own = all.filter(({ Service }) => Service === service);
    const [worst] = own.toSorted((a, b) => worstFirst.indexOf(stateOf(a)) - worstFirst.indexOf(stateOf(b)));
    const start = worst && starts.get(worst.Name);
    const ports = own.flatMap(({ Publishers }) => (Publishers ?? []).map(({ PublishedPort }) => PublishedPort));
    return {
      service,
      state: worst ? stateOf(worst) : "down",
      pid: null,
      since: start ? new Date(start).toISOString() : null,
      ports: [...new Set(ports)].filter((port) => port > 0),
    };
  });
}

function stateOf(container: Container): ServiceStatus["state"] {
  if (isReady(container)) return "ready";
  return container.State === "running" ? "starting" : "down";
}
