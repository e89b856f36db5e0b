import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { kafkaClient } from "@boxoffice/platform/kafkaClient";
import { ObjectStore } from "@boxoffice/platform/objectStore";
import type { Kafka } from "kafkajs";
import pg from "pg";
import { pino } from "pino";

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

/** A lake of its own for a test file. */
export async function newLake(): Promise<ObjectStore> {
  const lake = new ObjectStore({
    S3_ENDPOINT: addresses.s3,
    S3_REGION: "us-east-1",
    S3_BUCKET: uniqueName("lake"),
    S3_ACCESS_KEY: addresses.accessKey,
    S3_SECRET_KEY: addresses.secretKey,
  });
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

/** Resolves when the condition holds; throws what it was about when that takes too long. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, seconds = 60): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
