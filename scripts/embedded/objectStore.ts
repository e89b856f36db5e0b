import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BoxError, exitCode } from "../boxError.ts";
import { homePath } from "../boxHome.ts";
import { onPath } from "../install/onPath.ts";
import { openLake } from "../openLake.ts";
import { setting, type Variables } from "../settings.ts";
import type { Recipe } from "./recipe.ts";

/**
 * Java's second compiler knows the processor's instructions for digests, over which large files spend their time, and
 * takes as long for all else that is called often as a small run's requests take. So a method must be called far more
 * often than by default (5,000 times, or 15,000 with its loops).
 */
const secondCompilerForDigestsAlone = [
  "-XX:Tier4InvocationThreshold=100000",
  "-XX:Tier4MinInvocationThreshold=20000",
  "-XX:Tier4CompileThreshold=300000",
  "-XX:Tier4BackEdgeThreshold=2000000",
];

const s3proxyFolder = () => homePath("lake");
const minioFolder = () => homePath("minio");

/** The MinIO to run, if it is to be MinIO: a lake stays with the store that made it, a new one takes MinIO where the PATH has it. */
function chosenMinio(): string | undefined {
  const minio = onPath("minio");
  if (existsSync(minioFolder())) {
    if (minio) return minio;
    throw new BoxError(
      `the lake in ${minioFolder()} was made by MinIO, and the PATH has no minio now.\nPut it back on the PATH, or begin anew with ./box reset`,
      exitCode.environment,
    );
  }
  return existsSync(s3proxyFolder()) ? undefined : minio;
}

function s3proxyProperties(environment: Variables, port: string): string {
  return [
    `s3proxy.endpoint=http://127.0.0.1:${port}`,
    "s3proxy.authorization=aws-v4",
    `s3proxy.identity=${setting(environment, "S3_ACCESS_KEY")}`,
    `s3proxy.credential=${setting(environment, "S3_SECRET_KEY")}`,
    "jclouds.provider=filesystem-nio2",
    `jclouds.filesystem.basedir=${s3proxyFolder()}`,
    "jclouds.identity=unused",
    "jclouds.credential=unused",
  ].join("\n");
}

const logback = `<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{yyyy-MM-dd'T'HH:mm:ss.SSSX} %level %logger{20} %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="out"/></root>
</configuration>
`;

/** The lake's S3 store over a local folder: MinIO where the PATH has one at first, else S3Proxy. */
export const objectStore: Recipe = {
  ports: ["S3_PORT"],
  prepare: async ({ service, settings }) => {
    if (chosenMinio()) {
      mkdirSync(minioFolder(), { recursive: true });
      return;
    }
    mkdirSync(s3proxyFolder(), { recursive: true });
    const properties = s3proxyProperties(service.environment, setting(settings, "S3_PORT"));
    writeFileSync(homePath("s3proxy.properties"), properties, { mode: 0o600 });
    writeFileSync(homePath("s3proxy-logback.xml"), logback);
  },
  command: ({ service, settings, toolchain }) => {
    const minio = chosenMinio();
    if (minio) {
      return {
        command: minio,
        args: ["server", "--address", `127.0.0.1:${setting(settings, "S3_PORT")}`, minioFolder()],
        env: {
          MINIO_ROOT_USER: setting(service.environment, "S3_ACCESS_KEY"),
          MINIO_ROOT_PASSWORD: setting(service.environment, "S3_SECRET_KEY"),
          MINIO_BROWSER: "off",
        },
      };
    }
    return {
      command: toolchain.java,
      args: [
        ...["-Xmx256m", "-XX:+UseSerialGC", ...secondCompilerForDigestsAlone],
        `-Dlogback.configurationFile=${homePath("s3proxy-logback.xml")}`,
        ...["-cp", join(toolchain.s3proxyJars, "*"), "org.gaul.s3proxy.Main"],
        ...["--properties", homePath("s3proxy.properties")],
      ],
      env: {},
    };
  },
  isReady: async ({ service }) => {
    const store = await openLake(service.environment);
    try {
      await store.ensureBucket();
      return store.isReachable();
    } finally {
      store.close();
    }
  },
};
