import { rootPath } from "../boxHome.ts";
import { setting } from "../settings.ts";
import type { Recipe } from "./recipe.ts";

/** One of the box's own services, `services/<name>/src/main.ts`. */
export function typescriptService(name: string, port: string): Recipe {
  return {
    ports: [port],
    command: ({ service }) => ({
      command: process.execPath,
      args: ["--import", "tsx", rootPath("services", name, "src", "main.ts")],
      // With an arena of malloc for each thread, which keeps what it frees, a loader takes 90 MB more.
      env: { ...service.environment, MALLOC_ARENA_MAX: "2" },
      cwd: rootPath(),
    }),
    isReady: async ({ settings }) => {
      const response = await fetch(`http://127.0.0.1:${setting(settings, port)}/readyz`, {
        signal: AbortSignal.timeout(3_000),
      });
      return response.ok;
    },
  };
}
