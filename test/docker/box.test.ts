import { describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { box, docker, linesOf } from "./composeBox.ts";

const inspected = z.array(
  z.object({
    Config: z.object({ Labels: z.record(z.string(), z.string()), User: z.string() }),
    HostConfig: z.object({
      CapDrop: z.array(z.string()).nullable(),
      Memory: z.number(),
      PortBindings: z.record(z.string(), z.array(z.object({ HostIp: z.string() }))).nullable(),
      ReadonlyRootfs: z.boolean(),
      RestartPolicy: z.object({ Name: z.string() }),
      SecurityOpt: z.array(z.string()).nullable(),
      LogConfig: z.object({ Config: z.record(z.string(), z.string()) }),
    }),
  }),
);

async function inspect() {
  const found = inspected.parse(JSON.parse(await docker("inspect", ...(await box.containers()))));
  return found.map(({ Config, HostConfig }) => ({
    service: Config.Labels["com.docker.compose.service"] ?? "",
    user: Config.User,
    ...HostConfig,
  }));
}

/** Root in its container, and why. */
const asRoot = {
  s3: "the image's /data belongs to root; it has no capability, no new privileges and a read-only file system",
};
/** Writes outside volumes and tmpfs, and why. */
const writable = {
  "spark-master": "one anchor with the worker",
  "spark-worker": "shuffle files, which may be larger than memory",
  "spark-connect": "one anchor with the worker",
};

describe("docker compose up", () => {
  it("ends well with --wait, and hello's last line says where the answers and pages are", async () => {
    const { code, stderr } = inject("composeUp");
    expect(code, stderr).toBe(0);
    const said = linesOf(await box.composed("logs", "--no-log-prefix", "hello")).at(-1);
    expect(said).toContain("Boxoffice is ready. Answers: ./box answers");
    for (const name of ["ANSWERS_PORT", "AIRFLOW_PORT", "SPARK_UI_PORT"]) expect(said).toContain(box.url(name));
  });

  it("prints the certified answers, byte for byte", async () => {
    expect(withoutRunId(await box.command("answers", "--json"))).toBe(certifiedAnswers());
  });

  it("shows them on a page, and says which run they are of", async () => {
    const page = await fetch(box.url("ANSWERS_PORT"));
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain("The Shawshank Redemption");
    const document = await (await fetch(`${box.url("ANSWERS_PORT")}/answers.json`)).json();
    expect(document).toEqual(JSON.parse(await box.command("answers", "--json")));
  });

  it("changes nothing a second time, by either command", async () => {
    const before = await box.containers();
    const answers = await box.command("answers", "--json");
    await box.composed("up", "--detach", "--wait");
    await box.command("up");
    expect(await box.containers()).toEqual(before);
    expect(await box.command("answers", "--json")).toBe(answers);
  });

  it("keeps its data through down and up", async () => {
    const answers = await box.command("answers", "--json");
    const dangling = async () => linesOf(await docker("volume", "ls", "--quiet", "--filter", "dangling=true"));
    const others = await dangling();
    await box.composed("down");
    expect(await box.containers()).toEqual([]);
    await box.command("up");
    expect(await box.command("answers", "--json")).toBe(answers);
    expect((await dangling()).filter((name) => !others.includes(name))).toEqual([]);
  });
});

describe("every container", () => {
  it("is no root, but for those with a reason", async () => {
    const roots = (await inspect()).filter(({ user }) => user === "" || user === "root" || /^0(:|$)/.test(user));
    expect(roots.map(({ service }) => service).sort()).toEqual(Object.keys(asRoot).sort());
  });

  it("has no capability, gains no privileges, rotates its logs and has a limit", async () => {
    for (const { service, CapDrop, SecurityOpt, LogConfig, Memory } of await inspect()) {
      expect({ service, CapDrop, SecurityOpt }).toEqual({
        service,
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges:true"],
      });
      expect(LogConfig.Config["max-size"], service).toBe("10m");
      expect(Memory, service).toBeGreaterThan(0);
    }
  });

  it("has a read-only file system, but for those with a reason", async () => {
    const found = (await inspect()).filter(({ ReadonlyRootfs }) => !ReadonlyRootfs).map(({ service }) => service);
    expect([...new Set(found)].sort()).toEqual(Object.keys(writable).sort());
  });

  it("listens on 127.0.0.1 only", async () => {
    const bindings = (await inspect()).flatMap(({ PortBindings }) => Object.values(PortBindings ?? {}).flat());
    expect(bindings.length).toBeGreaterThan(8);
    expect(new Set(bindings.map(({ HostIp }) => HostIp))).toEqual(new Set(["127.0.0.1"]));
  });

  it("comes back when it dies, but for those that do one thing", async () => {
    const once = (await inspect()).filter(({ RestartPolicy }) => RestartPolicy.Name !== "unless-stopped");
    expect(once.map(({ service }) => service).sort()).toEqual(["airflow-migrate", "hello", "preflight"]);
  });

  it("together with the others may take 6 GiB of memory at most", async () => {
    const sum = (await inspect()).reduce((total, { Memory }) => total + Memory, 0);
    expect(sum).toBeLessThanOrEqual(6 * 2 ** 30);
  });
});

describe("docker-compose.yml", () => {
  it.each(["local", "local,celery", "local,live", "aws"])(
    "is read without a warning with the profiles %s",
    async (profiles) => {
      const { code, stderr } = await box.compose(["config", "--quiet"], { COMPOSE_PROFILES: profiles });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    },
  );
});
