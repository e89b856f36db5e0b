import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { ComposeBox, linesOf } from "./composeBox.ts";

const folder = mkdtempSync(join(tmpdir(), "cloud-"));
const settings = join(folder, "aws.env");
const cloud = new ComposeBox("cloud", 11_100, { COMPOSE_PROFILES: "aws", BOX_SETTINGS_FILE: settings });

afterEach(() => cloud.composed("down", "--volumes"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const example = () => readFileSync(rootPath("config", "aws.env.example"), "utf8");
const services = async () => linesOf(await cloud.composed("config", "--services")).sort();
const ownSecrets = ["SPARK_SECRET", "AIRFLOW_PASSWORD", "AIRFLOW_DB_PASSWORD", "REDIS_PASSWORD"].map(
  (name) => `${name}=own-${name}`,
);
const others = [
  "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=postgresql+psycopg2://airflow:own@airflow-db:5432/airflow",
  "AIRFLOW__CELERY__BROKER_URL=redis://:own@redis:6379/0",
  "AIRFLOW__CELERY__RESULT_BACKEND=db+postgresql://airflow:own@airflow-db:5432/airflow",
  ...["AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__CORE__FERNET_KEY"].map(
    (name) => `${name}=own-${name}`,
  ),
];

it("has the same services less the store and the warehouse", async () => {
  writeFileSync(settings, example());
  const inCloud = await services();
  const atHome = linesOf((await cloud.compose(["config", "--services"], { COMPOSE_PROFILES: "local" })).stdout);
  expect(inCloud).not.toContain("s3");
  expect(inCloud).not.toContain("warehouse");
  expect([...inCloud, "s3", "warehouse"].sort()).toEqual(atHome.sort());
});

it("does not start with placeholders or development secrets, and names each", async () => {
  writeFileSync(settings, example());
  const up = await cloud.compose(["up", "--wait"]);
  expect(up.code).not.toBe(0);
  const said = await cloud.composed("logs", "--no-log-prefix", "preflight");
  for (const name of ["S3_BUCKET", "S3_REGION", "WAREHOUSE_HOST", "WAREHOUSE_USER", "WAREHOUSE_PASSWORD"])
    expect(said).toContain(`${name} is still the example's placeholder`);
  for (const name of ["SPARK_SECRET", "AIRFLOW_PASSWORD", "AIRFLOW_DB_PASSWORD", "AIRFLOW__CORE__FERNET_KEY"])
    expect(said).toContain(`${name} has the development value`);
  expect(said).toContain(settings);
  expect(linesOf(await cloud.composed("ps", "--services", "--status", "running"))).toEqual([]);
});

it("does not start without a settings file: the addresses are those of a local box", async () => {
  rmSync(settings, { force: true });
  const { code, stdout, stderr } = await cloud.compose(["run", "--rm", "preflight"]);
  expect(code).toBe(1);
  expect(stdout + stderr).toContain("WAREHOUSE_HOST is the address inside a local box");
});

it("starts when every setting is the user's own", async () => {
  const filled = example().replaceAll(/<[^>]*>/g, "own");
  writeFileSync(settings, [filled, ...ownSecrets, ...others].join("\n"));
  const { code, stdout, stderr } = await cloud.compose(["run", "--rm", "preflight"]);
  expect({ code, said: stdout + stderr }).toEqual({ code: 0, said: expect.stringContaining("are complete") });
});
