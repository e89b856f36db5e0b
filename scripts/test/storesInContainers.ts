import { root, rootPath } from "../boxHome.ts";
import { buildImages } from "../docker/images.ts";
import { run } from "../install/run.ts";
import { portNames, readEnvFile, setting, type Variables } from "../settings.ts";
import { line } from "../terminal.ts";

export interface Stores {
  /** S3's, Kafka's and the warehouse's addresses and secrets, as `./box env` names them. */
  client: Variables;
  stop: () => Promise<void>;
}

/** Ends what a killed test run leaves behind; testcontainers starts it beside the first container. */
const reaperImage = "testcontainers/ryuk:0.14.0";
const portOffset = 10_800;
const stores = ["s3", "kafka", "warehouse"];

/** The store, Kafka and the warehouse of docker-compose.yml in containers of the tests' own, with the development secrets. */
export async function startStoresInContainers(): Promise<Stores> {
  // Every command reads this file, and testcontainers takes as long to read as all else.
  const { DockerComposeEnvironment, Wait } = await import("testcontainers");
  await chooseReaper();
  // What they wait for is of an image that another service builds.
  await buildImages();
  const settings = readEnvFile(rootPath(".env"), {});
  for (const name of portNames()) settings[name] = String(Number(settings[name]) + portOffset);
  const secrets = readEnvFile(rootPath("config", "dev-secrets.env"), {});
  const health = Wait.forHealthCheck();
  const project = `boxoffice-test-stores-${process.pid}`;
  const started = await new DockerComposeEnvironment(root, "docker-compose.yml")
    .withProjectName(project)
    // Over .env's own name of the project, which is that of the user's box: this project goes with its volumes.
    .withEnvironment({ ...settings, COMPOSE_PROJECT_NAME: project, BOX_SECRETS_FILE: "/dev/null" })
    .withProfiles("local")
    .withDefaultWaitStrategy(health)
    .withStartupTimeout(120_000)
    .up(stores);
  // Each has been waited for, or this throws.
  for (const store of stores) started.getContainer(`${store}-1`);
  return {
    client: {
      ...secrets,
      S3_ENDPOINT: `http://127.0.0.1:${setting(settings, "S3_PORT")}`,
      KAFKA_BROKERS: `127.0.0.1:${setting(settings, "KAFKA_PORT")}`,
      WAREHOUSE_HOST: "127.0.0.1",
      WAREHOUSE_PORT: setting(settings, "POSTGRES_PORT"),
      WAREHOUSE_USER: "boxoffice",
    },
    stop: async () => {
      await started.down({ removeVolumes: true });
    },
  };
}

/** Without its image, and no registry to have it from, the containers end with the suite and not with its process. */
async function chooseReaper(): Promise<void> {
  process.env.RYUK_CONTAINER_IMAGE ??= reaperImage;
  const image = process.env.RYUK_CONTAINER_IMAGE;
  const isThere = await run("docker", ["image", "inspect", image])
    .catch(() => run("timeout", ["30", "docker", "pull", "--quiet", image]))
    .then(
      () => true,
      () => false,
    );
  if (isThere) return;
  process.env.TESTCONTAINERS_RYUK_DISABLED = "true";
  line(`  ${image} cannot be had: containers of a test run that is killed have to be removed by hand`);
}
