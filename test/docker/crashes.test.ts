import { expect, it } from "vitest";
import { z } from "zod";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { box, docker, linesOf } from "./composeBox.ts";

const status = z.object({ services: z.array(z.object({ service: z.string(), state: z.string() })) });

async function notReady(): Promise<string[]> {
  const { services } = status.parse(JSON.parse(await box.command("status", "--json")));
  return services.filter(({ state }) => state !== "ready").map(({ service }) => service);
}

/** How often Docker has started each container of a service again by itself. */
async function restarts(service: string): Promise<number> {
  return Number(await docker("inspect", "--format", "{{.RestartCount}}", ...(await box.containers(service))));
}

it("services that all crash at once come back by themselves, and the next run gives the same answers", async () => {
  const all = linesOf(await box.composed("ps", "--services", "--status", "running"));
  expect(all).toContain("kafka");
  const before = new Map<string, number>();
  for (const service of all) before.set(service, await restarts(service));
  // Every process but the first, which ends with its child. `docker kill` would count as wanted.
  await Promise.all(all.map((service) => box.compose(["exec", "-T", service, "sh", "-c", "kill -9 -1"])));
  const options = { timeout: 240_000, interval: 500 };
  for (const service of all) {
    const message = `restarts of ${service}`;
    await expect.poll(() => restarts(service), { ...options, message }).toBeGreaterThan(before.get(service) ?? 0);
  }
  await expect.poll(notReady, options).toEqual([]);
  await box.command("run", "--full-refresh");
  expect(withoutRunId(await box.command("answers", "--json"))).toBe(certifiedAnswers());
});
