import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { boxCache, boxHome } from "./boxHome.ts";
import { portAnswers, portHolder } from "./embedded/portHolder.ts";
import { runningProcess } from "./embedded/processes.ts";
import { recipes } from "./embedded/recipes.ts";
import { findPython } from "./install/python.ts";
import type { Box } from "./openBox.ts";

export interface Finding {
  check: string;
  /** `stop`: the box cannot work; `warn`: it may not work well. */
  level: "ok" | "warn" | "stop";
  found: string;
  remedy?: string;
}

const gibibyte = 1 << 30;
const neededMemory = 6 * gibibyte;
const neededDisk = 5 * gibibyte;

/** What is missing on this machine or in the way, each with its remedy. */
export async function examine(box: Box): Promise<Finding[]> {
  return [
    node(),
    await python(),
    java(),
    memory(),
    await disk(boxHome),
    await disk(boxCache),
    platform(),
    ...(await ports(box)),
  ];
}

function node(): Finding {
  return { check: "Node.js", level: "ok", found: process.version };
}

async function python(): Promise<Finding> {
  try {
    return { check: "Python", level: "ok", found: await findPython() };
  } catch (error) {
    const [found, ...remedy] = (error as Error).message.split("\n");
    return { check: "Python", level: "stop", found: found ?? "", remedy: remedy.join(" ") };
  }
}

function java(): Finding {
  try {
    const text = execFileSync("sh", ["-c", "java -version 2>&1"], { encoding: "utf8" });
    const version = Number(/version "(\d+)/.exec(text)?.[1]);
    if (version >= 17) return { check: "Java", level: "ok", found: `Java ${version}` };
  } catch {
    // Without Java on the PATH the box installs its own.
  }
  return {
    check: "Java",
    level: "ok",
    found: "none of version 17 or newer on the PATH; the box installs its own (110 MB)",
  };
}

function memory(): Finding {
  const total = totalmem();
  const found = `${(total / gibibyte).toFixed(1)} GiB`;
  if (total >= neededMemory) return { check: "Memory", level: "ok", found };
  return {
    check: "Memory",
    level: "warn",
    found,
    remedy: "the box takes up to 6 GiB: close other programs, or expect it to be slow",
  };
}

async function disk(folder: string): Promise<Finding> {
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const check = `Disk at ${folder}`;
  const found = `${(free / gibibyte).toFixed(1)} GiB free`;
  if (free >= neededDisk) return { check, level: "ok", found };
  const level = free >= gibibyte / 2 ? "warn" : "stop";
  return {
    check,
    level,
    found,
    remedy: "about 5 GiB are needed: free some, or move it with BOX_HOME (state) or BOX_CACHE (engines)",
  };
}

function platform(): Finding {
  const name = `${process.platform}-${process.arch}`;
  const isKnown = ["linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64"].includes(name);
  if (!isKnown)
    return {
      check: "Platform",
      level: "stop",
      found: name,
      remedy: "use Linux or macOS on x64 or arm64; on Windows use WSL 2",
    };
  const isMuslLibc = process.platform === "linux" && existsSync("/etc/alpine-release");
  if (isMuslLibc)
    return { check: "Platform", level: "stop", found: "Alpine Linux (musl)", remedy: "use a Linux with glibc" };
  return { check: "Platform", level: "ok", found: name };
}

async function ports({ settings }: Box): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [service, recipe] of Object.entries(recipes)) {
    if (runningProcess(service)) continue;
    for (const variable of recipe.ports) {
      const port = Number(settings[variable]);
      if (!(await portAnswers(port))) continue;
      findings.push({
        check: `Port ${port}`,
        level: "stop",
        found: `${service} needs it, ${portHolder(port)} holds it`,
        remedy: `end that process, or set ${variable} to a free port, or move all ports with BOX_PORT_OFFSET=1000`,
      });
    }
  }
  return findings.length > 0 ? findings : [{ check: "Ports", level: "ok", found: "free, or held by this box" }];
}
