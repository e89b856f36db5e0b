import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const word = (bytes: number) => randomBytes(bytes).toString("hex");
const fernetKey = () => randomBytes(32).toString("base64").replaceAll("+", "-").replaceAll("/", "_");

function fromShell(name: string): string {
  return `\${${name}:-}`;
}

/** Not generated: whoever has a Kaggle account sets them. */
const takenFromTheShell = {
  KAGGLE_TOKEN: fromShell("KAGGLE_TOKEN"),
  KAGGLE_USERNAME: fromShell("KAGGLE_USERNAME"),
  KAGGLE_KEY: fromShell("KAGGLE_KEY"),
};

/** Makes a file with generated secrets where there is none, readable by its owner only. */
export function generateSecrets(path: string): void {
  if (existsSync(path)) return;
  const airflowDatabasePassword = word(16);
  const redisPassword = word(16);
  const secrets = {
    S3_ACCESS_KEY: `box-${word(6)}`,
    S3_SECRET_KEY: word(24),
    SPARK_SECRET: word(24),
    WAREHOUSE_PASSWORD: word(16),
    AIRFLOW_DB_PASSWORD: airflowDatabasePassword,
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: `postgresql+psycopg2://airflow:${airflowDatabasePassword}@airflow-db:5432/airflow`,
    AIRFLOW_PASSWORD: word(10),
    REDIS_PASSWORD: redisPassword,
    AIRFLOW__CELERY__BROKER_URL: `redis://:${redisPassword}@redis:6379/0`,
    AIRFLOW__CELERY__RESULT_BACKEND: `db+postgresql://airflow:${airflowDatabasePassword}@airflow-db:5432/airflow`,
    AIRFLOW__API_AUTH__JWT_SECRET: word(48),
    AIRFLOW__API__SECRET_KEY: word(24),
    AIRFLOW__CORE__FERNET_KEY: fernetKey(),
    ...takenFromTheShell,
  };
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
  const part = `${path}.${process.pid}`;
  writeFileSync(part, lines.join(""), { mode: 0o600 });
  try {
    // Of two first commands at once, one makes the secrets of both.
    linkSync(part, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(part, { force: true });
  }
}
