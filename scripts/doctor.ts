import { mkdirSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { portAnswers, portHolder } from "./embedded/portHolder.ts";
import { portOffset } from "./settings.ts";

export interface Finding {
  check: string;
  /** `stop`: the box cannot work; `warn`: it may not work well. */
  level: "ok" | "warn" | "stop";
  found: string;
  remedy?: string;
}

export const gibibyte = 1 << 30;
const neededDisk = 5 * gibibyte;

/** Whether a folder has room; `mover` names what moves it elsewhere. */
export async function disk(folder: string, mover: string): Promise<Finding> {
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const check = `Disk at ${folder}`;
  const found = `${(free / gibibyte).toFixed(1)} GiB free`;
  if (free >= neededDisk) return { check, level: "ok", found };
  const level = free >= gibibyte / 2 ? "warn" : "stop";
  return { check, level, found, remedy: `about 5 GiB are needed: free some, or move it with ${mover}` };
}

export interface NeededPort {
  service: string;
  port: number;
  /** The setting that moves it; none for one that the user has added. */
  variable: string | undefined;
}

/** The ports that services need and something else holds. */
export async function portFindings(needed: readonly NeededPort[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { service, port, variable } of needed) {
    if (!(await portAnswers(port))) continue;
    findings.push({
      check: `Port ${port}`,
      level: "stop",
      found: `${service} needs it, ${portHolder(port)} holds it`,
      remedy: variable
        ? `end that process, or set ${variable} to a free port, or move all ports with BOX_PORT_OFFSET=${portOffset() + 1000}`
        : "end that process, or publish another port",
    });
  }
  return findings.length > 0 ? findings : [{ check: "Ports", level: "ok", found: "free, or held by this box" }];
}
