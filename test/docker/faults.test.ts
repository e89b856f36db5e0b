import { createServer } from "node:net";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, describe, expect, it } from "vitest";
import { ComposeBox } from "./composeBox.ts";

const other = new ComposeBox("faults", 11_400);
afterEach(() => other.remove());

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
    const volume = `${other.composeEnvironment.COMPOSE_PROJECT_NAME}_airflow-db`;
    await other.composed("stop", "airflow-db");
    const write = "echo 17 > $(find /data -name PG_VERSION -path '*docker/PG_VERSION')";
    await other.composed(
      "run",
      "--rm",
      "--no-deps",
      "--volume",
      `${volume}:/data`,
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
