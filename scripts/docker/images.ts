import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { rootPath } from "../boxHome.ts";
import { run } from "../install/run.ts";
import { interruption } from "../interrupt.ts";
import type { Variables } from "../settings.ts";
import { step } from "../terminal.ts";
import { compose } from "./compose.ts";
import { configuredServices } from "./composeConfig.ts";
import { explained } from "./explained.ts";

/** Names the sources that an image was built from; docker-compose.yml has it at every build. */
const sourcesLabel = "boxoffice.sources";

export interface Image {
  name: string;
  /** Whether this checkout builds it; the others are pulled. */
  isBuilt: boolean;
  /** Bytes, where the engine has it. */
  size?: number;
  /** What `sourcesLabel` says. */
  sources?: string;
}

const inspected = z.array(
  z.object({
    RepoTags: z.array(z.string()).nullable(),
    Size: z.number(),
    Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
  }),
);

/** The images of the chosen profiles' services. */
export async function images(): Promise<Image[]> {
  const services = Object.values(await configuredServices());
  const built = new Set(services.flatMap(({ image, build }) => (build ? [image] : [])));
  const names = [...new Set(services.map(({ image }) => image))].sort();
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

/**
 * Builds what is missing, and what was built from other sources. Images that `docker compose` built by itself do not say
 * from which: they are built again from the engine's cache, and stay the same when nothing has changed.
 */
export async function buildImages(): Promise<void> {
  const sources = sourcesDigest();
  const own = (await images()).filter(({ isBuilt }) => isBuilt);
  if (own.every((image) => image.sources === sources)) return;
  const isUnnamed = own.every(({ size, sources }) => size !== undefined && sources === undefined);
  await step("Building the box's images", () => build(isUnnamed ? {} : { BOX_SOURCES: sources }));
}

async function build(variables: Variables): Promise<void> {
  await compose(["build", "--quiet"], variables).catch((cause) => {
    throw explained(cause);
  });
}

/** Builds what was built from other sources, or does not say from which, and pulls what the engine has not. */
export async function completeImages(): Promise<void> {
  const sources = sourcesDigest();
  const isToBuild = (await images()).some((image) => image.isBuilt && image.sources !== sources);
  if (isToBuild) await step("Building the box's images", () => build({ BOX_SOURCES: sources }));
  const missing = (await images()).filter(({ isBuilt, size }) => !isBuilt && size === undefined);
  for (const { name } of missing) await step(`Pulling ${name}`, () => pull(name));
}

async function pull(name: string): Promise<void> {
  await run("docker", ["pull", name]).catch((cause) => {
    throw explained(cause);
  });
}

/** What an engine sends into images is named in .dockerignore; notes of builds and runs are no part of it. */
const noSource = new Set(["node_modules", "__pycache__", "target", "logs"]);

/** A digest of the files that images are built from, and of the images they begin with. */
function sourcesDigest(): string {
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

/** Images as a table for a terminal. */
export function imagesText(list: readonly Image[]): string {
  return list
    .map(({ name, isBuilt, size }) => {
      const state = size === undefined ? "missing" : `${Math.round(size / 1e6).toLocaleString("en")} MB`;
      return `${name.padEnd(64)} ${(isBuilt ? "built here" : "pulled").padEnd(10)} ${state.padStart(9)}`;
    })
    .join("\n");
}
