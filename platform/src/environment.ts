import { z } from "zod";
import { ServiceError } from "./serviceError.ts";

/**
 * Reads a service's settings from the environment: a frozen object, or one error naming every bad variable.
 * An empty variable is as good as none: compose files pass `${NAME:-}`.
 */
export function readEnvironment<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  environment: NodeJS.ProcessEnv = process.env,
): Readonly<z.infer<z.ZodObject<Shape>>> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const result = schema.safeParse(given);
  if (result.success) return Object.freeze(result.data);
  const problems = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new ServiceError(
    "bad_environment",
    `these environment variables are missing or wrong:\n${problems.join("\n")}\nTheir defaults are in config/.`,
  );
}

/** The lake: without an endpoint it is AWS, without keys the credentials are those of the machine. */
export const s3Environment = z.object({
  S3_ENDPOINT: z.url().optional(),
  S3_REGION: z.string().min(1),
  S3_BUCKET: z.string().min(3),
  S3_ACCESS_KEY: z.string().min(1).optional(),
  S3_SECRET_KEY: z.string().min(1).optional(),
});

/** Kafka: brokers as `host:port`, separated by commas. */
export const kafkaEnvironment = z.object({
  KAFKA_BROKERS: z
    .string()
    .min(1)
    .transform((list) => list.split(",")),
});

/** Where a service listens, and how much it logs. */
export const httpEnvironment = z.object({
  HTTP_HOST: z.string().default("127.0.0.1"),
  HTTP_PORT: z.coerce.number().int().min(0).max(65_535),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
});

/** The warehouse. */
export const warehouseEnvironment = z.object({
  WAREHOUSE_HOST: z.string().min(1),
  WAREHOUSE_PORT: z.coerce.number().int().min(1).max(65_535),
  WAREHOUSE_DB: z.string().min(1),
  WAREHOUSE_USER: z.string().min(1),
  WAREHOUSE_PASSWORD: z.string().min(1),
});
