import { run } from "../install/run.ts";
import type { ServiceStatus } from "../status.ts";
import { type Container, containers, serviceNames } from "./compose.ts";
import { isReady, oneShots } from "./readiness.ts";

const worstFirst: readonly ServiceStatus["state"][] = ["down", "starting", "ready"];

/** The state of every service, of several containers that of the worst. */
export async function containerStatus(): Promise<ServiceStatus[]> {
  const all = await containers();
  const starts = await startTimes(all.filter(({ State }) => State === "running"));
  const names = (await serviceNames()).filter((name) => !oneShots.has(name));
  return names.sort().map((service) => {
    const own = all.filter(({ Service }) => Service === service);
    const [worst] = own.toSorted((a, b) => worstFirst.indexOf(stateOf(a)) - worstFirst.indexOf(stateOf(b)));
    const ports = own.flatMap(({ Publishers }) => (Publishers ?? []).map(({ PublishedPort }) => PublishedPort));
    return {
      service,
      state: worst ? stateOf(worst) : "down",
      pid: null,
      since: (worst && starts.get(worst.Name)) ?? null,
      ports: [...new Set(ports)].filter((port) => port > 0),
    };
  });
}

function stateOf(container: Container): ServiceStatus["state"] {
  if (isReady(container)) return "ready";
  return container.State === "running" ? "starting" : "down";
}

/** When containers were started, last, in ISO 8601. One that vanishes meanwhile has none. */
async function startTimes(running: readonly Container[]): Promise<Map<string, string>> {
  if (running.length === 0) return new Map();
  const names = running.map(({ Name }) => Name);
  const format = "{{.Name}}\t{{.State.StartedAt}}";
  const text = await run("docker", ["container", "inspect", "--format", format, ...names]).catch(() => "");
  return new Map(
    text.split("\n").flatMap((row) => {
      const [name, start] = row.split("\t");
      return name && start ? [[name.replace(/^\//, ""), new Date(start).toISOString()] as const] : [];
    }),
  );
}
