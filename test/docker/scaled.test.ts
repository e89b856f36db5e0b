import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AirflowApi } from "@boxoffice/platform/airflowApi";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { airflowSettings } from "../../scripts/airflowSettings.ts";
import { rootPath } from "../../scripts/boxHome.ts";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { outcome, startNow } from "../kit/dagRuns.ts";
import { type CommandResult, runToEnd } from "../kit/testBox.ts";
import { box, docker, linesOf } from "./composeBox.ts";

/**
 * What another host reaches this machine by, as far as containers are concerned: the gateway of Docker's own network. By a
 * container's routes, as an engine that has never been started before does not tell it.
 */
const lan = gatewayOf(await docker("run", "--rm", "--entrypoint", "cat", "boxoffice/spark:test", "/proc/net/route"));

/** Runs of the schedules are late after six seconds; Spark's workers may be elsewhere. */
const scaled = {
  COMPOSE_PROFILES: "local,celery",
  COMPOSE_FILE: "docker-compose.yml:docker-compose.lan.yml",
  LATE_RUN_MINUTES: "0.1",
  SPARK_LAN_ADDRESS: lan,
};

/** Of the kernel's table, in which a route has its interface, destination and gateway, addresses with the last byte first. */
function gatewayOf(routes: string): string {
  const [, , gateway] =
    routes
      .split("\n")
      .map((route) => route.split(/\s+/))
      .find(([, to]) => to === "00000000") ?? [];
  if (!gateway) throw new Error(`no default route in:\n${routes}`);
  return [...Buffer.from(gateway, "hex")].reverse().join(".");
}

const folder = mkdtempSync(join(tmpdir(), "scaled-"));
const secretsFile = join(box.home, "secrets.env");
const SPARK_SECRET = "of the test's own";

/** `docker compose` as on the other host, which knows the master's address and its secret. */
function otherHost(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  return runToEnd("docker", ["compose", "--file", "docker-compose.worker.yml", ...args], {
    ...box.composeEnvironment,
    COMPOSE_PROJECT_NAME: "boxoffice-test-worker",
    SPARK_MASTER_HOST: lan,
    SPARK_WORKER_CORES: "1",
    ...environment,
  });
}

/** A Connect server that is none of the box's, as the image's users start one; its name, address and page. */
async function startConnectElsewhere() {
  const { S3_REGION = "", S3_ACCESS_KEY = "", S3_SECRET_KEY = "" } = await box.client();
  const store = {
    AWS_ENDPOINT_URL: `http://s3:${box.composeEnvironment.S3_PORT}`,
    AWS_REGION: S3_REGION,
    AWS_ACCESS_KEY_ID: S3_ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: S3_SECRET_KEY,
  };
  const server = ["--master", "local[2]", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"];
  const name = (
    await docker(
      ...["run", "--detach", "--add-host", `s3:${lan}`, "--publish", `${lan}::15002`, "--publish", "127.0.0.1::4040"],
      ...Object.entries(store).flatMap(([variable, value]) => ["--env", `${variable}=${value}`]),
      ...["--entrypoint", "/opt/spark/bin/spark-submit", "boxoffice/spark:test", ...server],
      ...["--conf", "spark.connect.grpc.binding.address=0.0.0.0", "spark-internal"],
    )
  ).trim();
  const published = async (port: number) => (await docker("port", name, String(port))).trim();
  return { name, address: await published(15002), page: `http://${await published(4040)}` };
}

const applications = z.array(z.object({ id: z.string() }));
const executors = z.array(z.object({ id: z.string(), hostPort: z.string(), completedTasks: z.number() }));

/** The executors that a Connect server has now, by the machine they are on; the box's by default. */
async function executorsAtWork(page = box.url("SPARK_CONNECT_UI_PORT")): Promise<{ host: string; tasks: number }[]> {
  const api = async (path: string) => (await fetch(`${page}/api/v1/applications${path}`)).json();
  const [application] = applications.parse(await api(""));
  const all = executors.parse(await api(`/${application?.id}/executors`));
  return all
    .filter(({ id }) => id !== "driver" || all.length === 1)
    .map(({ hostPort, completedTasks }) => ({ host: hostPort.split(":")[0] ?? "", tasks: completedTasks }));
}

const hosts = async () => (await executorsAtWork()).map(({ host }) => host).sort();
const patience = { timeout: 60_000, interval: 1_000 };
let connect: Awaited<ReturnType<typeof startConnectElsewhere>> | undefined;

afterAll(async () => {
  if (connect) await docker("rm", "--force", connect.name);
  await otherHost(["down"]);
  await box.compose(["rm", "--stop", "--force", "airflow-worker", "redis"], scaled);
  rmSync(secretsFile, { force: true });
  rmSync(folder, { recursive: true });
});

it("a second Spark worker beside the first brings a second executor", async () => {
  await box.composed("up", "--detach", "--wait", "--no-deps", "--scale", "spark-worker=2", "spark-worker");
  await expect.poll(hosts, patience).toHaveLength(2);
});

describe("a box that other hosts may reach", () => {
  it("does not start with development secrets", async () => {
    const { code, stderr } = await box.compose(["run", "--rm", "preflight"], scaled);
    expect(code).toBe(1);
    expect(stderr).toContain("SPARK_SECRET has the development value");
  });

  it("opens there what Spark's workers need, and nothing else", async () => {
    mkdirSync(box.home, { recursive: true });
    const development = readFileSync(rootPath("config", "dev-secrets.env"), "utf8");
    const own = `SPARK_SECRET=${SPARK_SECRET}\nS3_ACCESS_KEY=own-key\nS3_SECRET_KEY=own-secret\n`;
    writeFileSync(secretsFile, `${development}${own}`);
    const up = await box.compose(["up", "--detach", "--wait", "--scale", "airflow-worker=2"], scaled);
    expect(up).toMatchObject({ code: 0, stderr: expect.stringContaining("airflow-worker-2  Healthy") });
    const ports = await docker("inspect", "--format", "{{json .HostConfig.PortBindings}}", ...(await box.containers()));
    const open = [...ports.matchAll(/"HostIp":"([^"]+)","HostPort":"(\d+)"/g)].filter(([, address]) => address === lan);
    const names = ["S3", "SPARK_MASTER", "SPARK_DRIVER", "SPARK_DRIVER_BLOCK", "SPARK_EXECUTOR"];
    const expected = names.map((name) => box.composeEnvironment[`${name}_PORT`]);
    expect(open.map(([, , port]) => port).sort()).toEqual(expected.sort());
  });

  it("takes no worker that has another secret", async () => {
    const other = join(folder, "other.env");
    writeFileSync(other, "SPARK_SECRET=another\n");
    await otherHost(["up", "--detach"], { BOX_SECRETS_FILE: other });
    const logs = async () => (await otherHost(["logs"], { BOX_SECRETS_FILE: other })).stdout;
    await expect.poll(logs, patience).toContain("Failed to connect to master");
    expect(await hosts()).toEqual(["spark-worker"]);
  });

  it("takes one by the address of its master alone", async () => {
    const { code, stderr } = await otherHost(["config"], { SPARK_MASTER_HOST: "" });
    expect(code).not.toBe(0);
    expect(stderr).toContain("SPARK_MASTER_HOST");
    const own = join(folder, "own.env");
    writeFileSync(own, `SPARK_SECRET=${SPARK_SECRET}\n`);
    expect(await otherHost(["up", "--detach", "--wait"], { BOX_SECRETS_FILE: own })).toMatchObject({ code: 0 });
    await expect.poll(hosts, patience).toEqual([lan, "spark-worker"]);
  });
});

describe("a run of a schedule on two Celery workers, of which one is killed, and Spark workers on two hosts", () => {
  let before: { host: string; tasks: number }[] = [];
  let runId = "";

  it("ends with the certified answers", async () => {
    before = await executorsAtWork();
    const airflow = new AirflowApi(airflowSettings(await box.client()));
    [runId = ""] = await startNow(airflow, "boxoffice_daily");
    const silver = async () =>
      (await airflow.tasks(runId, "running")).find(({ name }) => name === "boxoffice.transform.silver");
    await expect.poll(silver, { timeout: 180_000, interval: 500 }).toMatchObject({ host: expect.any(String) });
    const host = (await silver())?.host ?? "";
    const workers = linesOf((await box.compose(["ps", "--quiet", "airflow-worker"], scaled)).stdout);
    expect(workers).toHaveLength(2);
    await docker("kill", "--signal", "KILL", workers.find((id) => id.startsWith(host)) ?? `no worker is ${host}`);

    expect(await outcome(airflow, "boxoffice", runId)).toBe("success");
    const printed = await box.command("answers", "--json");
    expect(JSON.parse(printed).run_id).toBe(runId);
    expect(withoutRunId(printed)).toBe(certifiedAnswers());
  });

  it("used executors on both hosts", async () => {
    const after = await executorsAtWork();
    expect(new Set(after.map(({ host }) => host)).size).toBe(2);
    for (const { host, tasks } of after) {
      expect(tasks, host).toBeGreaterThan(before.find((executor) => executor.host === host)?.tasks ?? 0);
    }
  });

  it("was late, which a Celery worker said once", async () => {
    const { stdout } = await box.compose(["logs", "--no-log-prefix", "airflow-worker"], scaled);
    expect(stdout.match(/late_run \{.*\}/g)).toEqual([expect.stringContaining(`"run_id": "${runId}"`)]);
  });
});

it("SPARK_REMOTE has the same run go to any Spark Connect server", async () => {
  connect = await startConnectElsewhere();
  const { page, address } = connect;
  await expect.poll(() => executorsAtWork(page).catch(() => []), patience).toHaveLength(1);
  const before = await executorsAtWork();
  const pointed = { ...scaled, SPARK_REMOTE: `sc://${address}` };
  const up = ["up", "--detach", "--wait", "--no-deps", "--scale", "airflow-worker=1", "airflow-worker"];
  expect(await box.compose(up, pointed)).toMatchObject({ code: 0 });
  await box.command("run");
  expect(withoutRunId(await box.command("answers", "--json"))).toBe(certifiedAnswers());
  expect((await executorsAtWork(page))[0]?.tasks).toBeGreaterThan(0);
  expect(await executorsAtWork()).toEqual(before);
});
