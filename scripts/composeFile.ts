import { existsSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { root, rootPath } from "./boxHome.ts";
import { interpolate, isLocal, readEnvFile, type Variables } from "./settings.ts";

const service = z.object({
  profiles: z.array(z.string()).default([]),
  env_file: z.array(z.union([z.string(), z.object({ path: z.string(), required: z.boolean() })])).default([]),
  command: z.union([z.string().transform((words) => words.split(" ")), z.array(z.string())]).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const composeFile = z.object({ services: z.record(z.string(), service) });

export interface ServiceDescription {
  name: string;
  /** Names of the services that must be healthy, or done, before this one starts. */
  dependsOn: string[];
  /** What its container runs. */
  command: string[];
  environment: Variables;
}

/** Files whose place this box's own secrets take. */
const holdsSecrets = (path: string) => basename(path).includes("secrets");

/** Addresses of what the box does not run itself outside the profile `local`. */
const cloudAddresses = new Set(["S3_ENDPOINT", "WAREHOUSE_HOST", "WAREHOUSE_PORT"]);

/**
 * The services of docker-compose.yml with the environment the embedded runtime gives them:
 * the compose file's own, this box's generated secrets, and config/embedded.env over both.
 */
export function readServices(settings: Variables, secretsPath: string): Map<string, ServiceDescription> {
  const text = readFileSync(rootPath("docker-compose.yml"), "utf8");
  const { services } = composeFile.parse(parse(text, { merge: true, maxAliasCount: -1 }));
  const secrets = readEnvFile(secretsPath, settings);
  const embedded = readEnvFile(rootPath("config/embedded.env"), { ...settings, ...secrets });

  const described = new Map<string, ServiceDescription>();
  const profiles = (settings.COMPOSE_PROFILES || "local").split(",");
  const isInProfile = (name: string) => {
    const own = services[name]?.profiles ?? [];
    return own.length === 0 || own.some((profile) => profiles.includes(profile));
  };
  for (const [name, { command, env_file, environment, depends_on }] of Object.entries(services)) {
    const own: Variables = {};
    for (const file of env_file) {
      const path = resolve(root, interpolate(typeof file === "string" ? file : file.path, settings));
      if (holdsSecrets(path)) Object.assign(own, secrets);
      else if (typeof file === "string" || existsSync(path)) Object.assign(own, readEnvFile(path, settings));
    }
    for (const [key, value] of Object.entries(environment)) own[key] = interpolate(value, settings);
    for (const [key, value] of Object.entries(embedded)) {
      if (key in own && (isLocal(settings) || !cloudAddresses.has(key))) own[key] = value;
    }
    described.set(name, {
      name,
      dependsOn: Object.keys(depends_on).filter(isInProfile),
      command: command.map((word) => interpolate(word, settings)),
      environment: own,
    });
  }
  return described;
}
