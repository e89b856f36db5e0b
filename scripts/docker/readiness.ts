import type { Container } from "./compose.ts";

/** Services that do one thing and end. */
export const oneShots: ReadonlySet<string> = new Set(["airflow-migrate", "hello", "preflight"]);

/** Whether a container does its work, or has done all of it. */
export const isReady = ({ State, Health, Service, ExitCode }: Container) =>
  oneShots.has(Service) ? State === "exited" && ExitCode === 0 : State === "running" && Health === "healthy";
