import { expect, it } from "vitest";
import { z } from "zod";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { box, linesOf } from "./composeBox.ts";

const status = z.object({ services: z.array(z.object({ service: z.string(), state: z.string() })) });

async function notReady(): Promise<string[]> {
  const { services } = status.parse(JSON.parse(await box.command("status", "--json")));
  return services.filter(({ state }) => state !== "ready").map(({ service }) => service);
}

it("every service that is killed and started alone heals, and the next run gives the same answers", async () => {
  const all = linesOf(await box.composed("ps", "--services", "--status", "running"));
  expect(all).toContain("kafka");
  for (const service of all) {
    await box.composed("restart", "--timeout", "0", service);
    await expect
      .poll(notReady, { timeout: 180_000, interval: 500, message: `after ${service} was killed` })
      .toEqual([]);
  }
  await box.command("run", "--full-refresh");
  expect(withoutRunId(await box.command("answers", "--json"))).toBe(certifiedAnswers());
});
