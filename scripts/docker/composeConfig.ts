import { z } from "zod";
import { compose } from "./compose.ts";

const service = z.object({
  image: z.string(),
  build: z.unknown().optional(),
  mem_limit: z.coerce.number().default(0),
  ports: z.array(z.object({ published: z.string().optional(), protocol: z.string().optional() })).default([]),
  volumes: z.array(z.object({ type: z.string(), source: z.string().optional() })).default([]),
});
const composeConfig = z.object({ services: z.record(z.string(), service) });

/** What docker compose makes of its files for a service. */
export type ConfiguredService = z.infer<typeof service>;

/** The services of the chosen profiles, with every variable and override file in place. */
export async function configuredServices(): Promise<Record<string, ConfiguredService>> {
  return composeConfig.parse(JSON.parse(await compose(["config", "--format", "json"]))).services;
}
