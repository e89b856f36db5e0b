import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BoxError, exitCode } from "../boxError.ts";
import { boxCache, rootPath } from "../boxHome.ts";
import { run } from "./run.ts";

/** Spark brings its own of these, and the older ones break it. */
const unwanted: Record<string, RegExp> = { "spark-s3a": /^(netty-.*-4\.1\.|slf4j-api-|commons-codec-)/ };

export interface JarRequest {
  java: string;
  sparkHome: string;
  /** `engines/<name>.ivy.xml` says what is resolved. */
  name: string;
  folder: string;
}

/** Resolves an engine's jars with the Ivy that Spark ships, and checks each against engines/jars.sha256. */
export async function installJars({ java, sparkHome, name, folder }: JarRequest): Promise<void> {
  const pattern = join(folder, "[artifact]-[revision](-[classifier]).[ext]");
  await run(java, [
    ...["-cp", join(sparkHome, "jars", "*"), "org.apache.ivy.Main"],
    ...["-ivy", rootPath("engines", `${name}.ivy.xml`), "-confs", "default"],
    ...["-cache", join(boxCache, "ivy", name), "-types", "jar", "bundle", "-retrieve", pattern],
  ]);
  for (const file of readdirSync(folder)) if (unwanted[name]?.test(file)) rmSync(join(folder, file));
  const expected = lockedJars(name);
  const actual = jarHashes(folder);
  const different = [...new Set([...expected.keys(), ...actual.keys()])].filter(
    (file) => expected.get(file) !== actual.get(file),
  );
  if (different.length > 0) {
    throw new BoxError(
      `the jars of ${name} are not those that engines/jars.sha256 locks: ${different.join(", ")}`,
      exitCode.environment,
    );
  }
}

/** File name to sha256 of every jar in a folder. */
export function jarHashes(folder: string): Map<string, string> {
  const files = readdirSync(folder).filter((file) => file.endsWith(".jar"));
  return new Map(
    files.map((file) => [
      file,
      createHash("sha256")
        .update(readFileSync(join(folder, file)))
        .digest("hex"),
    ]),
  );
}

function lockedJars(name: string): Map<string, string> {
  const locked = new Map<string, string>();
  for (const line of readFileSync(rootPath("engines/jars.sha256"), "utf8").split("\n")) {
    const [sha256, path] = line.trim().split(/\s+/);
    const [folder, file] = path?.split("/") ?? [];
    if (sha256 && file && folder === name) locked.set(file, sha256);
  }
  return locked;
}
