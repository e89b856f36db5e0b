import { createServer } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Finding } from "../../scripts/doctor.ts";
import { container, engineAnswers, FakeDocker, prints } from "./fakeDocker.ts";

let docker: FakeDocker;
beforeEach(() => {
  docker = new FakeDocker();
});
afterEach(() => docker.remove());

const config = (services: Record<string, unknown>) => ({ "*config --format json": prints({ services }) });

async function examine(settings: Record<string, string> = {}): Promise<Finding[]> {
  const { examineDocker } = await import("../../scripts/docker/examine.ts");
  const { dockerRuntime } = await import("../../scripts/docker/runtime.ts");
  return examineDocker({ runtime: dockerRuntime, settings, services: new Map(), environment: {} });
}

const named = (findings: Finding[], check: string) => findings.find((finding) => finding.check === check);

test.each([
  ["missing", "exit 1"],
  ["too old", "echo 2.20.0"],
])("a Compose that is %s is said, and not asked about services", async (_what, version) => {
  docker.answers({ ...engineAnswers, "compose version *": version, "compose *": "exit 1" });
  const findings = await examine();
  expect(named(findings, "Compose")).toMatchObject({ level: "stop", remedy: expect.stringContaining("2.24.0") });
  expect(named(findings, "Architecture")?.level).toBe("ok");
  expect(docker.asked().filter((asked) => / (ps|config) /.test(asked))).toEqual([]);
});

test("up without an engine says what to do, before anything is asked of it", async () => {
  docker.answers({ "*": "echo cannot connect >&2; exit 1" });
  const { dockerRuntime } = await import("../../scripts/docker/runtime.ts");
  await expect(dockerRuntime.prepare()).rejects.toMatchObject({
    message: expect.stringMatching(/no engine answers\n.*start Docker.*--runtime embedded/),
    exitCode: 3,
  });
});

test("a configuration that Compose refuses is a finding with its words", async () => {
  docker.answers({ ...engineAnswers, "*config --format json": "echo 'services.s3 is wrong' >&2; exit 15" });
  const found = named(await examine(), "Configuration");
  expect(found).toMatchObject({ level: "stop", found: expect.stringContaining("services.s3 is wrong") });
});

test.each([
  [8, "ok"],
  [12, "warn"],
  [20, "stop"],
])("memory is compared with what the chosen services may take: of %i GiB, 8 are there", async (needed, level) => {
  const service = { image: "any", mem_limit: String((needed / 2) * 2 ** 30) };
  docker.answers({ ...engineAnswers, ...config({ one: service, two: service }) });
  expect(named(await examine(), "Memory")?.level).toBe(level);
});

test("only ports that a service of the chosen profiles publishes, and that does not run, must be free", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" ? String(address?.port) : "";
  const s3 = { image: "any", ports: [{ published: port, protocol: "tcp" }] };
  const settings = { S3_PORT: port, POSTGRES_PORT: port };
  const check = `Port ${port}`;

  docker.answers({ ...engineAnswers, ...config({ kafka: { image: "any" } }) });
  expect(named(await examine(settings), "Ports")?.level).toBe("ok");

  docker.answers({ ...engineAnswers, ...config({ s3 }) });
  const taken = named(await examine({ S3_PORT: port }), check);
  expect(taken).toMatchObject({ level: "stop", found: expect.stringContaining("s3 needs it") });
  expect(taken?.remedy).toContain("S3_PORT");
  expect(named(await examine(), check)?.remedy).toBe("end that process, or publish another port");

  docker.answers({ ...engineAnswers, ...config({ s3 }), "*ps --all*": prints(container("s3")) });
  expect(named(await examine(settings), "Ports")?.level).toBe("ok");
  server.close();
});

test("folders of this machine that an override mounts are named, as Docker Desktop must share them", async () => {
  const volumes = [{ type: "volume", source: "lake" }];
  docker.answers({ ...engineAnswers, ...config({ s3: { image: "any", volumes } }) });
  expect(named(await examine(), "File sharing")).toMatchObject({ level: "ok", found: "none needed" });

  const mounted = [...volumes, { type: "bind", source: "/home/me/dags" }];
  docker.answers({ ...engineAnswers, ...config({ "airflow-scheduler": { image: "any", volumes: mounted } }) });
  const found = named(await examine(), "File sharing");
  expect(found).toMatchObject({ level: "warn", found: "/home/me/dags in airflow-scheduler" });
  expect(found?.remedy).toContain("File sharing");
});
