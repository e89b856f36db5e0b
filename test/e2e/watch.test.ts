import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { answers } from "@boxoffice/contracts/answers";
import { afterAll, describe, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { until } from "../../services/loader/test/engines.ts";
import { bundledText, EditionCopy } from "../kit/edition.ts";
import { box, openBox } from "./sharedBox.ts";

const edition = new EditionCopy();
const workFolder = mkdtempSync(join(tmpdir(), "watch-"));
let ingest: ChildProcess | undefined;

afterAll(() => {
  ingest?.kill("SIGTERM");
  edition.remove();
  rmSync(workFolder, { recursive: true, force: true });
});

describe("the watch", () => {
  it("asks for exactly one run when a source file has changed, and that run publishes the change", async () => {
    const { client, airflow, lake } = await openBox();
    const watched = async () =>
      (await airflow.runs("boxoffice")).filter(({ dag_run_id }) => dag_run_id.startsWith("watch-"));
    ingest = spawn(process.execPath, ["--import", "tsx", rootPath("services", "ingest", "src", "main.ts")], {
      cwd: rootPath(),
      env: {
        ...process.env,
        ...client,
        HTTP_PORT: "0",
        EDITION: edition.path,
        WORK_DIR: workFolder,
        WATCH_CRON: "*/2 * * * * *",
      },
      stdio: "ignore",
    });
    const hasLooked = async () => (await lake.list("_watch/").next()).done === false;
    await until("the watch has looked at the edition", hasLooked, 120);
    expect(await watched()).toEqual([]);

    const lines = bundledText("movies_metadata.csv").trimEnd().split("\n");
    const last = lines.at(-1)?.split(",") ?? [];
    const newMovie = last.map((cell, at) => (lines[0]?.split(",")[at] === "id" ? "99999999" : cell)).join(",");
    edition.with("movies_metadata.csv", `${[...lines, newMovie].join("\n")}\n`);
    const isOver = async () => (await watched()).some(({ state }) => state === "success" || state === "failed");
    await expect.poll(isOver, { timeout: 480_000, interval: 500 }).toBe(true);
    await sleep(6_000);
    expect((await watched()).map(({ state }) => state)).toEqual(["success"]);
    const { counts } = answers.parse(JSON.parse(await box.command("answers", "--json")));
    expect(counts.movies.source_rows).toBe(45_467);
    lake.close();
  });
});
