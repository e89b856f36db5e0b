import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { rootPath } from "../../scripts/boxHome.ts";
import { readServices } from "../../scripts/composeFile.ts";
import { readEnvFile } from "../../scripts/settings.ts";

const file = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      pull_policy: z.string().optional(),
      environment: z.record(z.string(), z.string()).default({}),
    }),
  ),
});
const read = () =>
  file.parse(parse(readFileSync(rootPath("docker-compose.yml"), "utf8"), { merge: true, maxAliasCount: -1 })).services;

test("secrets come by env_file alone: in an environment they would win over the box's own", () => {
  const secrets = Object.keys(readEnvFile(rootPath("config", "dev-secrets.env"), {}));
  for (const [service, { environment }] of Object.entries(read())) {
    expect({ service, secrets: Object.keys(environment).filter((name) => secrets.includes(name)) }).toEqual({
      service,
      secrets: [],
    });
  }
});

test("images of the box's own names are never pulled: in a registry the name may be another's", () => {
  for (const { image, pull_policy } of Object.values(read())) {
    if (image.startsWith("boxoffice/")) expect(pull_policy, image).toBe("never");
    else expect(image).toMatch(/^\$\{[A-Z]+_IMAGE\}$/);
  }
});

const all = { ...readEnvFile(rootPath(".env"), {}), BOX_ROOT: rootPath(), BOX_HOME: rootPath(".box") };
const secrets = rootPath("config", "dev-secrets.env");

test("a service waits for none of a profile that is not chosen", () => {
  const scheduler = (profiles: string) =>
    readServices({ ...all, COMPOSE_PROFILES: profiles }, secrets).get("airflow-scheduler")?.dependsOn;
  expect(scheduler("local")).not.toContain("redis");
  expect(scheduler("local,celery")).toContain("redis");
});

test("a file of settings may be anywhere: docker compose takes absolute paths too", () => {
  const folder = mkdtempSync(join(tmpdir(), "settings-"));
  const file = join(folder, "cloud.env");
  writeFileSync(file, "S3_REGION=eu-north-1\n");
  const services = readServices({ ...all, COMPOSE_PROFILES: "aws", BOX_SETTINGS_FILE: file }, secrets);
  rmSync(folder, { recursive: true });
  expect(services.get("loader")?.environment.S3_REGION).toBe("eu-north-1");
});
