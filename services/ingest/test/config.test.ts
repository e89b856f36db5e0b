import { join } from "node:path";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { expect, test } from "vitest";
import { readConfig } from "../src/config.ts";

const least = {
  S3_REGION: "us-east-1",
  S3_BUCKET: "lake",
  KAFKA_BROKERS: "one:9092,two:9092",
  HTTP_PORT: "8081",
  EDITION: "data/edition",
  WORK_DIR: "work",
};

function problem(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ServiceError) return error.message;
  }
  throw new Error("the environment was accepted");
}

test("the least that is needed gets the defaults, and empty variables are as good as none", () => {
  const empty = { KAGGLE_TOKEN: "", WATCH_CRON: "", AIRFLOW_URL: "", MAX_REJECT_PERCENT: "", CPI_SOURCE: "" };
  expect(readConfig({ ...least, ...empty })).toMatchObject({
    KAFKA_BROKERS: ["one:9092", "two:9092"],
    WORK_DIR: join("work", "ingest"),
    MAX_REJECT_PERCENT: 5,
    CPI_SOURCE: "edition",
    KAGGLE_API_URL: "https://www.kaggle.com/api/v1",
    KAGGLE_DATASET: "rounakbanik/the-movies-dataset",
  });
  expect(readConfig(least).WATCH_CRON).toBeUndefined();
});

test("every missing or bad variable is named at once", () => {
  const { EDITION: _edition, S3_BUCKET: _bucket, ...rest } = least;
  const message = problem({ ...rest, MAX_REJECT_PERCENT: "120", CPI_SOURCE: "moon", WATCH_CRON: "often" });
  for (const name of ["EDITION", "S3_BUCKET", "MAX_REJECT_PERCENT", "CPI_SOURCE", "WATCH_CRON"]) {
    expect(message).toContain(name);
  }
});

test("what belongs together is asked for together", () => {
  const message = problem({ ...least, WATCH_CRON: "*/10 * * * *", KAGGLE_USERNAME: "ann" });
  expect(message).toContain("AIRFLOW_URL: needed because WATCH_CRON is set");
  expect(message).toContain("AIRFLOW_PASSWORD: needed because WATCH_CRON is set");
  expect(message).toContain("KAGGLE_KEY: needed because KAGGLE_USERNAME is set");
});
