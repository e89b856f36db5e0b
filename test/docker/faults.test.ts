import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { runToEnd } from "../kit/testBox.ts";
import { ComposeBox, docker } from "./composeBox.ts";

const other = new ComposeBox("faults", 11_400);
const folder = mkdtempSync(join(tmpdir(), "faults-"));
afterEach(() => other.remove());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The volumes of the box, by the names docker-compose.yml gives them. */
const volume = (name: string) => `${other.composeEnvironment.COMPOSE_PROJECT_NAME}_${name}`;

/** The head of a program for the processor that this machine has not: all that the kernel looks at. */
function foreignProgram(): Uint8Array {
  const head = Buffer.alloc(64);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(process.arch === "arm64" ? 62 : 183, 18);
  return head;
}

describe("a start-up that fails says what and what to do", () => {
  it("a port that is taken", async () => {
    const server = createServer().listen(19_000 + 11_400, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { code, stderr } = await other.attempt("up", "--services", "s3");
    server.close();
    expect(code).toBe(3);
    for (const text of ["Port 30400", "s3", `pid ${process.pid}`, "S3_PORT", "BOX_PORT_OFFSET"]) {
      expect(stderr).toContain(text);
    }
  });

  it("too little memory", async () => {
    const { code, stderr } = await other.attemptWith({ PREFLIGHT_MEMORY: "16m" }, "up", "--services", "preflight");
    expect(code).toBe(1);
    expect(stderr).toContain("preflight did not start");
    expect(stderr).toContain("PREFLIGHT_MEMORY=");
  });

  it("an image that is gone", async () => {
    const image = "apache/kafka:0.0.0-gone";
    const { code, stderr } = await other.attemptWith({ KAFKA_IMAGE: image }, "up", "--services", "kafka");
    expect(code).toBe(3);
    expect(stderr).toContain("An image cannot be had");
    expect(stderr).toContain("./box images load");
  });

  it("a volume that another version of Postgres wrote", async () => {
    await other.command("up", "--services", "airflow-db");
    await other.composed("stop", "airflow-db");
    const write = "echo 17 > $(find /data -name PG_VERSION -path '*docker/PG_VERSION')";
    await other.composed(
      "run",
      "--rm",
      "--no-deps",
      "--volume",
      `${volume("airflow-db")}:/data`,
      "--entrypoint",
      "sh",
      "airflow-db",
      "-c",
      write,
    );
    const { code, stderr } = await other.attempt("up", "--services", "airflow-db");
    expect(code).toBe(1);
    expect(stderr).toContain("airflow-db did not start");
    expect(stderr).toMatch(/initialized by PostgreSQL version 17/);
  });

  it("an image of another processor", async () => {
    const image = "boxoffice-test/foreign:local";
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin", "sh"), foreignProgram());
    chmodSync(join(folder, "bin", "sh"), 0o755);
    const archive = join(folder, "image.tar");
    expect(await runToEnd("tar", ["-cf", archive, "-C", folder, "bin"], process.env)).toMatchObject({ code: 0 });
    await docker("import", archive, image);
    const { code, stderr } = await other.attemptWith({ MINIO_IMAGE: image }, "up", "--services", "s3");
    await other.remove();
    await docker("rmi", image);
    expect(code).toBe(1);
    expect(stderr).toContain("s3 did not start");
    expect(stderr).toMatch(/exec format error/i);
  });

  it("a volume that belongs to somebody else", async () => {
    await other.command("up", "--services", "airflow-db");
    await other.composed("stop", "airflow-db");
    const take = ["--user", "0", "--entrypoint", "chown", "boxoffice/hello:local", "-R", "1:1", "/data"];
    await docker("run", "--rm", "--volume", `${volume("airflow-db")}:/data`, ...take);
    const { code, stderr } = await other.attempt("up", "--services", "airflow-db");
    expect(code).toBe(1);
    expect(stderr).toContain("airflow-db did not start");
    expect(stderr).toMatch(/permission denied/i);
  });

  it("secrets that are not those of the volumes", async () => {
    await other.command("up", "--services", "airflow-db");
    const file = join(other.home, "secrets.env");
    const secrets = readFileSync(file, "utf8").replace(
      /^(AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=.*airflow:).*@/m,
      "$1other@",
    );
    writeFileSync(file, secrets);
    const { code, stderr } = await other.attempt("up", "--services", "airflow-dag-processor");
    expect(code).toBe(1);
    expect(stderr).toContain("airflow-migrate did not start");
    expect(stderr).toContain("password authentication failed");
  });
});

it("AIRFLOW_UID says to whom the files belong that Airflow writes", async () => {
  const mine = { AIRFLOW_UID: "4321" };
  const up = await other.attemptWith(mine, "up", "--services", "airflow-api-server", "airflow-dag-processor");
  expect(up).toMatchObject({ code: 0 });
  const write = "touch /opt/airflow/logs/written && stat --format %u:%g /opt/airflow/logs/written";
  const { stdout } = await other.compose(["exec", "-T", "airflow-dag-processor", "sh", "-c", write], mine);
  expect(stdout.trim()).toBe("4321:0");
});

it("a Windows checkout keeps the ends of lines that scripts need, and doctor finds them changed", async () => {
  const checkout = `${join(folder, "windows")}/`;
  const git = ["-c", "core.autocrlf=true", "checkout-index", "--all", `--prefix=${checkout}`];
  expect(await runToEnd("git", git, process.env)).toMatchObject({ code: 0 });
  symlinkSync(rootPath("node_modules"), join(checkout, "node_modules"));
  const doctor = () => runToEnd(join(checkout, "box"), ["doctor"], { ...process.env, BOX_RUNTIME: "docker" });
  expect((await doctor()).stdout).toMatch(/Line ends: LF/);

  const script = join(checkout, "images", "airflow", "service.sh");
  writeFileSync(script, readFileSync(script, "utf8").replaceAll("\n", "\r\n"));
  const { code, stdout } = await doctor();
  expect(code).toBe(3);
  expect(stdout).toContain("CRLF in images/airflow/service.sh");
  expect(stdout).toContain("git config core.autocrlf input");
});

it("a clock that is an hour wrong is told by the store, by the name that the documentation has", async () => {
  const { S3_ENDPOINT, S3_REGION, S3_ACCESS_KEY, S3_SECRET_KEY } = await other.start("s3");
  const client = new S3Client({
    region: S3_REGION ?? "",
    endpoint: S3_ENDPOINT ?? "",
    forcePathStyle: true,
    credentials: { accessKeyId: S3_ACCESS_KEY ?? "", secretAccessKey: S3_SECRET_KEY ?? "" },
    systemClockOffset: 3_600_000,
  });
  await expect(client.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: "RequestTimeTooSkewed" });
  client.destroy();
});
