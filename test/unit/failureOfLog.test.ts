import { expect, test } from "vitest";
import { failureOfLog } from "../../scripts/pipeline/hopReports.ts";

const report = (message: string) => ({
  run_id: "r1",
  dag: "transform",
  task: "silver",
  code: "disk_full",
  message,
  at: "2026-11-24T12:00:00Z",
});

test("of what a task's log says of its failures the last counts", () => {
  const events = [
    "::group::Log message source details",
    `run_failure ${JSON.stringify(report("first try"))}`,
    `run_failure ${JSON.stringify(report("the lake has no space left"))}`,
    "Task failed with exception",
  ];
  expect(failureOfLog(events)).toMatchObject({ task: "silver", message: "the lake has no space left" });
});

test("a log that says nothing of a failure has none", () => {
  expect(failureOfLog(["run_failure", "Task failed"])).toBeUndefined();
});
