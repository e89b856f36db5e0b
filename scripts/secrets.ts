import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { boxHome, homePath } from "./boxHome.ts";

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

/** The file with this box's generated secrets, made at first use, readable by its owner only. */
export function secretsFile(): string {
  const path = homePath("secrets.env");
  if (existsSync(path)) return path;
  const airflowDatabasePassword = word(16);
  const secrets = {
    S3_ACCESS_KEY: `box-${word(6)}`,
    S3_SECRET_KEY: word(24),
    WAREHOUSE_PASSWORD: word(16),
    AIRFLOW_DB_PASSWORD: airflowDatabasePassword,
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: `postgresql+psycopg2://airflow:${airflowDatabasePassword}@airflow-db:5432/airflow`,
    AIRFLOW_PASSWORD: word(10),
    AIRFLOW__API_AUTH__JWT_SECRET: word(48),
    AIRFLOW__API__SECRET_KEY: word(24),
    AIRFLOW__CORE__FERNET_KEY: fernetKey(),
    ...takenFromTheShell,
  };
  mkdirSync(boxHome, { recursive: true, mode: 0o700 });
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(path, lines.join(""), { mode: 0o600 });
  return path;
}
