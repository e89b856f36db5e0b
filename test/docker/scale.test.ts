import { afterAll, expect, it } from "vitest";
import { z } from "zod";
import { certifiedAnswers, withoutRunId } from "../kit/certifiedAnswers.ts";
import { box } from "./composeBox.ts";

const applications = z.array(z.object({ id: z.string() }));
const executors = z.array(z.object({ id: z.string(), hostPort: z.string(), completedTasks: z.number() }));

const sparkApi = async (path: string) => (await fetch(`${box.url("SPARK_CONNECT_UI_PORT")}/api/v1${path}`)).json();

afterAll(() => box.composed("up", "--detach", "--wait", "--scale", "spark-worker=1"));

it("Spark scales with --scale and uses executors of every worker", async () => {
  await box.composed("up", "--detach", "--wait", "--no-recreate", "--scale", "spark-worker=2");
  await expect.poll(async () => (await executorsAtWork()).length, { timeout: 60_000, interval: 1_000 }).toBe(2);
  const before = await executorsAtWork();
  await box.command("run", "--full-refresh");

  const after = await executorsAtWork();
  expect(new Set(after.map(({ host }) => host)).size).toBe(2);
  for (const { host, tasks } of after) {
    expect(tasks, host).toBeGreaterThan(before.find((executor) => executor.host === host)?.tasks ?? 0);
  }
  expect(withoutRunId(await box.command("answers", "--json"))).toBe(certifiedAnswers());
});

/** The executors that the Connect server has now, by the machine they are on. */
async function executorsAtWork(): Promise<{ host: string; tasks: number }[]> {
  const [application] = applications.parse(await sparkApi("/applications"));
  const all = executors.parse(await sparkApi(`/applications/${application?.id}/executors`));
  return all
    .filter(({ id }) => id !== "driver")
    .map(({ hostPort, completedTasks }) => ({ host: hostPort.split(":")[0] ?? "", tasks: completedTasks }));
}
