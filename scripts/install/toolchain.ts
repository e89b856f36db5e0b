import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { boxCache, rootPath } from "../boxHome.ts";
import { whenFree } from "../fileLock.ts";
import { interruption } from "../interrupt.ts";
import { step, transient } from "../terminal.ts";
import { installJars } from "./jars.ts";
import { findJava } from "./java.ts";
import { createVenv, installUv, packageFolder } from "./python.ts";
import { run } from "./run.ts";

/** Where the engines that the box runs are installed. */
export interface Toolchain {
  /** Virtual environment of Airflow, dbt and the tasks. */
  pipeline: string;
  /** The Spark distribution (inside its virtual environment). */
  sparkHome: string;
  java: string;
  javaHome: string;
  kafkaJars: string;
  s3proxyJars: string;
  s3aJars: string;
}

/** Makes `<cache>/<name>-<hash of the locked files>` by `make` unless it is complete already. */
export async function cached(
  name: string,
  lockedFiles: string[],
  title: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  for (const file of lockedFiles) hash.update(readFileSync(rootPath(file)));
  const folder = join(boxCache, `${name}-${hash.digest("hex").slice(0, 12)}`);
  const marker = completeMarker(folder);
  if (await isComplete(folder)) return folder;
  // Another box of this user may be at the same.
  const onWait = (pid: number) => transient(`  … ${title}: waiting for the ./box with pid ${pid}`);
  await whenFree(`${folder}.lock`, onWait, async () => {
    if (await isComplete(folder)) return;
    rmSync(folder, { recursive: true, force: true });
    await step(title, async () => {
      mkdirSync(folder, { recursive: true });
      await make(folder);
      writeFileSync(`${marker}.part`, "");
      renameSync(`${marker}.part`, marker);
    });
  });
  return folder;
}

/** Written last, when all of a folder is there. */
const completeMarker = (folder: string) => join(folder, ".complete");

/** A virtual environment is of no use any more when the Python it was made with is gone. */
async function isComplete(folder: string): Promise<boolean> {
  if (!existsSync(completeMarker(folder))) return false;
  if (!existsSync(join(folder, "pyvenv.cfg"))) return true;
  return run(join(folder, "bin", "python"), ["-I", "-c", ""]).then(
    () => true,
    () => {
      interruption.throwIfAborted();
      return false;
    },
  );
}

/** The virtual environment of the Python package installer. */
export function uvFolder(): Promise<string> {
  return cached("uv", ["requirements/uv.txt"], "Installing uv (25 MB)", installUv);
}

/** Installs whatever is missing and answers where everything is. */
export async function installToolchain(): Promise<Toolchain> {
  const uv = await uvFolder();
  const pipeline = cached(
    "pipeline",
    ["requirements/pipeline.txt"],
    "Installing Airflow, dbt and clients (900 MB)",
    (folder) => createVenv(uv, folder, "requirements/pipeline.txt"),
  );
  const engines = installEngines(uv);
  // Both are waited for, so that a failure of one does not leave the other at work.
  await Promise.allSettled([pipeline, engines]);
  return { pipeline: await pipeline, ...(await engines) };
}

/** Spark, a Java where there is none, and what Spark's Ivy resolves. */
async function installEngines(uv: string): Promise<Omit<Toolchain, "pipeline">> {
  const spark = await cached("spark", ["requirements/spark.txt"], "Installing Spark (480 MB)", (folder) =>
    createVenv(uv, folder, "requirements/spark.txt"),
  );
  const { java, javaHome } = await findJava((title) =>
    cached("java", ["requirements/java.txt"], title, (folder) => createVenv(uv, folder, "requirements/java.txt")),
  );
  const sparkHome = packageFolder(spark, "pyspark");
  const jars = (name: string, title: string) =>
    cached(name, [`engines/${name}.ivy.xml`, "engines/jars.sha256"], title, (folder) =>
      installJars({ java, sparkHome, name, folder }),
    );
  const [kafkaJars, s3proxyJars, s3aJars] = await Promise.all([
    jars("kafka", "Installing Kafka (43 MB)"),
    jars("s3proxy", "Installing the S3 store (17 MB)"),
    jars("spark-s3a", "Installing Spark's S3 client (12 MB)"),
  ]);
  return { sparkHome, java, javaHome, kafkaJars, s3proxyJars, s3aJars };
}
