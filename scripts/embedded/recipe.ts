import type { ServiceDescription } from "../composeFile.ts";
import type { Toolchain } from "../install/toolchain.ts";
import type { Variables } from "../settings.ts";
import type { Command } from "./processes.ts";

/** What it takes to talk to a service. */
export interface ClientContext {
  settings: Variables;
  service: ServiceDescription;
}

/** What it takes to start one. */
export interface RecipeContext extends ClientContext {
  toolchain: Toolchain;
}

/** How a service of docker-compose.yml runs as a local process. */
export interface Recipe {
  /** Settings whose ports it listens on. */
  ports: string[];
  /** Makes what it needs before its first start; cheap when that is there. */
  prepare?: (context: RecipeContext) => Promise<void>;
  command: (context: RecipeContext) => Command;
  /** Answers by the service's own protocol whether it works; throws or returns false while it does not. */
  isReady: (context: ClientContext) => Promise<boolean>;
  /** For how long it may run and not be ready, 120 s by default. */
  patienceSeconds?: number;
  /** Runs once it is ready, at each start of the box; idempotent. */
  whenReady?: (context: RecipeContext) => Promise<void>;
  /** How it is asked to end; default SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /** A piece of work that ends, not a server. */
  oneShot?: boolean;
  /** Whether a piece of work was done before and need not be done again. */
  isDone?: (context: RecipeContext) => boolean;
}
