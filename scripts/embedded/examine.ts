import { existsSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { boxCache, boxHome } from "../boxHome.ts";
import { disk, type Finding, gibibyte, portFindings } from "../doctor.ts";
import { machineJava } from "../install/java.ts";
import { onPath } from "../install/onPath.ts";
import { canMakeVenv, findPython } from "../install/python.ts";
import type { Box } from "../openBox.ts";
import { setting } from "../settings.ts";
import { recordedProcesses, runningProcess } from "./processes.ts";
import { recipes } from "./recipes.ts";

const neededMemory = 6 * gibibyte;
const neededAvailable = 4 * gibibyte;

/** What is missing on this machine or in the way, each with its remedy. */
export async function examine(box: Box): Promise<Finding[]> {
  return [
    node(),
    await python(),
    await java(),
    ...setpriv(),
    memory(),
    await disk(boxHome, "BOX_HOME (state)"),
    await disk(boxCache, "BOX_CACHE (engines)"),
    platform(),
    ...(await ports(box)),
  ];
}

function node(): Finding {
  return { check: "Node.js", level: "ok", found: process.version };
}

async function python(): Promise<Finding> {
  try {
    const found = await findPython();
    if (await canMakeVenv(found)) return { check: "Python", level: "ok", found };
    const remedy = "on Debian and Ubuntu: apt-get install python3-venv";
    return { check: "Python", level: "stop", found: `${found}, which cannot make virtual environments`, remedy };
  } catch (error) {
    const [found, ...remedy] = (error as Error).message.split("\n");
    return { check: "Python", level: "stop", found: found ?? "", remedy: remedy.join(" ") };
  }
}

async function java(): Promise<Finding> {
  const java = await machineJava();
  const found =
    java?.javaHome ?? "none of version 17 or newer in JAVA_HOME or on the PATH; the box installs its own (110 MB)";
  return { check: "Java", level: "ok", found };
}

function memory(): Finding {
  const remedy = "the box takes up to 6 GiB: close other programs, or expect it to be slow";
  const total = totalmem();
  const found = `${(total / gibibyte).toFixed(1)} GiB`;
  if (total < neededMemory) return { check: "Memory", level: "warn", found, remedy };
  // Only Linux counts memory that it would give back as available; a box that runs has what it needs.
  const isTelling = process.platform === "linux" && !recordedProcesses().some(runningProcess);
  const available = freemem();
  if (!isTelling || available >= neededAvailable) return { check: "Memory", level: "ok", found };
  return {
    check: "Memory",
    level: "warn",
    found: `${(available / gibibyte).toFixed(1)} of ${found} available`,
    remedy,
  };
}

/** As root, Postgres is started as another user. */
function setpriv(): Finding[] {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return [];
  const path = onPath("setpriv");
  if (path) return [{ check: "setpriv", level: "ok", found: path }];
  const remedy = "run the box as another user than root, or install setpriv, e.g. 'apt-get install util-linux'";
  return [{ check: "setpriv", level: "stop", found: "not on the PATH, and root needs it to start Postgres", remedy }];
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
  const down = Object.entries(recipes).filter(([service]) => !runningProcess(service));
  return portFindings(
    down.flatMap(([service, recipe]) =>
      recipe.ports.map((variable) => ({ service, variable, port: Number(setting(settings, variable)) })),
    ),
  );
}
