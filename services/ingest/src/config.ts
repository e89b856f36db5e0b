import { join } from "node:path";
import { httpEnvironment, kafkaEnvironment, readEnvironment, s3Environment } from "@boxoffice/platform/environment";
import { validate } from "node-cron";
import { z } from "zod";

const optionalText = z.string().optional();

const ingestEnvironment = z.object({
  ...s3Environment.shape,
  ...kafkaEnvironment.shape,
  ...httpEnvironment.shape,
  /** What a load reads when it names no edition: a directory, or `kaggle`. */
  EDITION: z.string().min(1),
  /** Where ingest keeps temporary files and unfinished downloads, in a folder of its own. */
  WORK_DIR: z
    .string()
    .min(1)
    .transform((directory) => join(directory, "ingest")),
  MAX_REJECT_PERCENT: z.coerce.number().min(0).max(100).default(5),
  /** Single ratings taken per second, on average. */
  LIVE_RATE_LIMIT: z.coerce.number().int().min(1).default(5_000),
  KAGGLE_API_URL: z.url().default("https://www.kaggle.com/api/v1"),
  KAGGLE_DATASET: z
    .string()
    .regex(/^[^/]+\/[^/]+$/, "expected owner/name")
    .default("rounakbanik/the-movies-dataset"),
  KAGGLE_TOKEN: optionalText,
  KAGGLE_USERNAME: optionalText,
  KAGGLE_KEY: optionalText,
  FRED_URL: z.url().default("https://fred.stlouisfed.org/graph/fredgraph.csv?id=CPIAUCSL"),
  /** Whether the CPI comes with the edition or from FRED; an edition from Kaggle has none. */
  CPI_SOURCE: z.enum(["edition", "fred"]).default("edition"),
  /** When to look whether the sources changed; empty: never. */
  WATCH_CRON: z.string().refine(validate, "expected a cron expression like */10 * * * *").optional(),
  AIRFLOW_URL: z.url().optional(),
  AIRFLOW_USERNAME: optionalText,
  AIRFLOW_PASSWORD: optionalText,
});

const checkedEnvironment = ingestEnvironment.superRefine((settings, context) => {
  const need = (name: keyof typeof settings, because: string) => {
    if (settings[name] === undefined)
      context.addIssue({ code: "custom", path: [name], message: `needed because ${because}` });
  };
  if (settings.WATCH_CRON) {
    for (const name of ["AIRFLOW_URL", "AIRFLOW_USERNAME", "AIRFLOW_PASSWORD"] as const)
      need(name, "WATCH_CRON is set");
  }
  if (settings.KAGGLE_USERNAME) need("KAGGLE_KEY", "KAGGLE_USERNAME is set");
  if (settings.KAGGLE_KEY) need("KAGGLE_USERNAME", "KAGGLE_KEY is set");
});

export type Config = Readonly<z.infer<typeof ingestEnvironment>>;

/** The service's settings, or one error naming every missing or bad variable. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  return readEnvironment(checkedEnvironment, environment);
}
