import type { Finding } from "./doctor.ts";
import type { Box } from "./openBox.ts";
import type { RuntimeName } from "./startedBox.ts";
import type { ServiceStatus } from "./status.ts";

/** Where and how the services of docker-compose.yml run. */
export interface Runtime {
  readonly name: RuntimeName;
  /** The file with the secrets that the services have. */
  secretsFile(): string;
  /** Makes secrets of the box's own where it has no data yet that was made with others. */
  prepare(): Promise<void>;
  /**
   * Installs or builds what is missing and starts what does not run: these services and what they need, or all but those
   * that wait for the first run. Answers when they are ready.
   */
  start(box: Box, services: readonly string[] | undefined): Promise<void>;
  /** Starts what waits for the first run to be published. */
  complete(): Promise<void>;
  /** Ends what runs; its state stays. */
  stop(): Promise<void>;
  /** Whether there is any state. */
  hasState(): Promise<boolean>;
  /** Where the state is, for a person. */
  readonly place: string;
  /** Removes the state of a box that is ended. */
  removeState(): Promise<void>;
  status(box: Box): Promise<ServiceStatus[]>;
  printLogs(service: string | undefined, lines: number): Promise<void>;
  /** Bytes of memory that each service takes now. */
  memory(): Promise<Map<string, number>>;
  /** What is missing or in the way, with the remedy. */
  examine(box: Box): Promise<Finding[]>;
  /** The path by which ingest reads a directory of this machine. */
  editionPath(directory: string): Promise<string>;
}
