import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import { warehousePool } from "@boxoffice/platform/warehousePool";
import type { Kafka } from "kafkajs";
import pg from "pg";
import { pino } from "pino";
import { TcpProxy } from "../../../test/kit/tcpProxy.ts";
import { runColumn } from "../src/partitions.ts";

/** Where the engines under test listen. */
export const addresses = {
  s3: process.env.TEST_S3_ENDPOINT ?? "http://127.0.0.1:19000",
  accessKey: process.env.TEST_S3_ACCESS_KEY ?? "boxoffice-dev",
  secretKey: process.env.TEST_S3_SECRET_KEY ?? "boxoffice-dev-secret",
  kafka: process.env.TEST_KAFKA_BROKERS ?? "127.0.0.1:19092",
  postgres: process.env.TEST_POSTGRES_URL ?? "postgres://postgres:boxoffice-dev@127.0.0.1:15432/postgres",
};

export const migrationsDirectory = fileURLToPath(new URL("../../../warehouse/migrations/postgres", import.meta.url));
export const quietLog = pino({ level: process.env.TEST_LOG_LEVEL ?? "silent" });

export const uniqueName = (kind: string) => `${kind}-${randomBytes(6).toString("hex")}`;

/** A new directory of the migrations before one of them; the caller removes it. */
export async function migrationsBefore(name: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "migrations-"));
  for (const before of await readdir(migrationsDirectory)) {
    if (before < name) await cp(join(migrationsDirectory, before), join(directory, before));
  }
  return directory;
}

/** A bucket of the real object store, or of what stands before it. */
export function lakeOf(bucket: string, endpoint = addresses.s3): ObjectStore {
  return new ObjectStore({
    S3_ENDPOINT: endpoint,
    S3_REGION: "us-east-1",
    S3_BUCKET: bucket,
    S3_ACCESS_KEY: addresses.accessKey,
    S3_SECRET_KEY: addresses.secretKey,
  });
}

/** A lake of its own for a test file. */
export async function newLake(bucket = uniqueName("lake")): Promise<ObjectStore> {
  const lake = lakeOf(bucket);
  await lake.ensureBucket();
  return lake;
}

export function newKafka(): Kafka {
  return kafkaClient("loader-test", addresses.kafka.split(","), quietLog);
}

/** An empty database of its own for a test file; `drop` also closes its pool. */
export async function newDatabase(): Promise<{ pool: pg.Pool; drop: () => Promise<void> }> {
  const name = uniqueName("loader").replaceAll("-", "_");
  const admin = new pg.Client({ connectionString: addresses.postgres });
  await admin.connect();
  await admin.query(`create database ${name}`);
  const url = new URL(addresses.postgres);
  url.pathname = name;
  const pool = new pg.Pool({ connectionString: url.href, max: 6 });
  return {
    pool,
    drop: async () => {
      await pool.end();
      // The pool's connections close a moment after it has ended.
      await until(`${name} is dropped`, () =>
        admin.query(`drop database ${name}`).then(
          () => true,
          () => false,
        ),
      );
      await admin.end();
    },
  };
}

/** How many rows of a run a reader of a gold table sees. */
export async function rowsSeen(pool: pg.Pool, table: string, run: string): Promise<number | undefined> {
  const { column, value } = runColumn({ table }, run);
  const { rows } = await pool.query<{ n: number }>(
    `select count(*)::int as n from gold.${table} where ${column} = ${value}`,
  );
  return rows[0]?.n;
}

/** The loader's own pool for the database of another pool, by way of a proxy that can cut its connections. */
export async function cuttablePool(
  to: pg.Pool,
): Promise<{ proxy: TcpProxy; pool: pg.Pool; close: () => Promise<void> }> {
  const url = new URL(to.options.connectionString ?? "");
  const proxy = await TcpProxy.before(url.hostname, Number(url.port));
  const config = {
    WAREHOUSE_HOST: "127.0.0.1",
    WAREHOUSE_PORT: proxy.port,
    WAREHOUSE_DB: url.pathname.slice(1),
    WAREHOUSE_USER: decodeURIComponent(url.username),
    WAREHOUSE_PASSWORD: decodeURIComponent(url.password),
  };
  const pool = warehousePool(config, {
    application: "cuttable",
    connections: 6,
    connectMilliseconds: 10_000,
    log: quietLog,
  });
  return {
    proxy,
    pool,
    close: async () => {
      await pool.end();
      await proxy.close();
    },
  };
}

/** Resolves when the condition holds; throws what it was about when that takes too long. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, seconds = 60): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
