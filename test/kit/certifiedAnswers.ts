import { readFileSync } from "node:fs";
import { rootPath } from "../../scripts/boxHome.ts";

/** The answers of the bundled edition, as text: what `./box answers --json` prints on every runtime, less the run's id. */
export const certifiedAnswers = () => readFileSync(rootPath("data", "answers.json"), "utf8");

/** What `./box answers --json` printed, less the run's id, to be compared with the certified answers. */
export const withoutRunId = (printed: string) => printed.replace(/^ {2}"run_id": .*\n/m, "");
