import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { z } from "zod";
import { BoxError, exitCode } from "../boxError.ts";
import { root, rootPath } from "../boxHome.ts";
import { run } from "../install/run.ts";
import { interruption } from "../interrupt.ts";
import { step } from "../terminal.ts";
import { compose } from "./compose.ts";

/** Names the sources that an image was built from; docker-compose.yml has it at every build. */
const sourcesLabel = "boxoffice.sources";
const mebibyte = 1 << 20;

export interface Image {
  name: string;
  /** Whether this checkout builds it; the others are pulled. */
  isBuilt: boolean;
  /** Bytes, where the engine has it. */
  size?: number;
  /** What `sourcesLabel` says. */
  sources?: string;
}

const composeConfig = z.object({
  services: z.record(z.string(), z.object({ image: z.string(), build: z.unknown().optional() })),
});
const inspected = z.array(
  z.object({
    RepoTags: z.array(z.string()).nullable(),
    Size: z.number(),
    Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
  }),
);

/** The images of the chosen profiles' services. */
export async function images(): Promise<Image[]> {
  const { services } = composeConfig.parse(JSON.parse(await compose(["config", "--format", "json"])));
  const built = new Set(Object.values(services).flatMap(({ image, build }) => (build ? [image] : [])));
  const names = [...new Set(Object.values(services).map(({ image }) => image))].sort();
  return Promise.all(names.map(async (name) => ({ name, isBuilt: built.has(name), ...(await inspect(name)) })));
}

async function inspect(name: string): Promise<Pick<Image, "size" | "sources">> {
  const text = await run("docker", ["image", "inspect", name]).catch(() => "[]");
  interruption.throwIfAborted();
  const found = inspected.parse(JSON.parse(text))[0];
  if (!found) return {};
  const sources = found.Config.Labels?.[sourcesLabel];
  return { size: found.Size, ...(sources ? { sources } : {}) };
}

/** Builds the images whose sources are others than they were built from, or all when one is missing. */
export async function buildImages(): Promise<void> {
  const sources = sourcesDigest();
  const own = (await images()).filter(({ isBuilt }) => isBuilt);
  if (own.every((image) => image.sources === sources)) return;
  await step("Building the box's images", async () => {
    await compose(["build", "--quiet"], { BOX_SOURCES: sources });
  });
}

/** What an engine sends into images is named in .dockerignore; notes of builds and runs are no part of it. */
const noSource = new Set(["node_modules", "__pycache__", "target", "logs"]);

/** A digest of the files that images are built from, and of the images they begin with. */
export function sourcesDigest(): string {
  const hash = createHash("sha256");
  const add = (path: string) => {
    const full = rootPath(path);
    if (statSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) if (!noSource.has(name)) add(join(path, name));
    } else hash.update(`${path}\0`).update(readFileSync(full));
  };
  const entries = readFileSync(rootPath(".dockerignore"), "utf8").split("\n");
  for (const entry of entries) if (entry.startsWith("!")) add(entry.slice(1));
  for (const name of ["AIRFLOW_IMAGE", "SPARK_IMAGE", "NODE_IMAGE"]) hash.update(process.env[name] ?? "");
  return hash
    .update(readFileSync(rootPath(".env")))
    .digest("hex")
    .slice(0, 16);
}

/** Writes every image of the chosen profiles into one archive, which is compressed when its name ends in gz. */
export async function saveImages(file: string): Promise<void> {
  await buildImages();
  const missing = (await images()).filter(({ isBuilt, size }) => !isBuilt && size === undefined);
  for (const { name } of missing) await step(`Pulling ${name}`, () => run("docker", ["pull", name]));
  const names = (await images()).map(({ name }) => name);
  const part = `${file}.part`;
  try {
    await step(`Saving ${names.length} images to ${file}`, async (report) => {
      const child = spawn("docker", ["save", ...names], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(child, "close");
      let bytes = 0;
      const count = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          bytes += chunk.length;
          report(`${Math.round(bytes / mebibyte).toLocaleString("en")} MiB`);
          done(null, chunk);
        },
      });
      const packed = /gz$/.test(file) ? [createGzip({ level: constants.Z_BEST_SPEED })] : [];
      await pipeline([child.stdout, count, ...packed, createWriteStream(part)], { signal: interruption });
      const [code] = await ended;
      if (code !== 0) throw new BoxError(`docker save ended with exit code ${code}`, exitCode.failed);
    });
    renameSync(part, file);
  } finally {
    rmSync(part, { force: true });
  }
}

/** Gives the engine the images of an archive. */
export async function loadImages(file: string): Promise<void> {
  if (!existsSync(file)) throw new BoxError(`there is no file ${file}`, exitCode.usage);
  await step(`Loading images from ${file}`, () => run("docker", ["load", "--input", file]));
  const lacking = (await images()).filter(({ size }) => size === undefined).map(({ name }) => name);
  if (lacking.length > 0)
    throw new BoxError(`the archive is of other profiles or of another version: it lacks ${lacking.join(", ")}`);
}

/** Images as a table for a terminal. */
export function imagesText(list: readonly Image[]): string {
  return list
    .map(({ name, isBuilt, size }) => {
      const state = size === undefined ? "missing" : `${Math.round(size / 1e6).toLocaleString("en")} MB`;
      return `${name.padEnd(64)} ${(isBuilt ? "built here" : "pulled").padEnd(10)} ${state.padStart(9)}`;
    })
    .join("\n");
}
