import { answers } from "@boxoffice/contracts/answers";
import { TestBox } from "../kit/testBox.ts";

/** The box that every file here uses. Whoever publishes another edition publishes the bundled one again. */
export const box = new TestBox({ name: "e2e", portOffset: 10_100, runtime: "embedded" });

/** The id of the published run. */
export async function publishedRun(): Promise<string> {
  return answers.parse(JSON.parse(await box.command("answers", "--json"))).run_id;
}
