import { addressesOf } from "./addresses.ts";
import { answersText } from "./answers/printAnswers.ts";
import { readAnswers } from "./answers/readAnswers.ts";
import { BoxError } from "./boxError.ts";
import { endOnInterrupt, interruption } from "./interrupt.ts";
import type { Box } from "./openBox.ts";
import { followActiveRun, runPipeline } from "./pipeline/runPipeline.ts";
import type { Variables } from "./settings.ts";

/**
 * The one-shot service of docker-compose.yml: runs the pipeline where nothing is published yet, prints the
 * answers, and last where they and the pages are. Exits 1, with the reason, when there are no answers to print.
 */
async function hello(box: Box): Promise<void> {
  if (!(await readAnswers(box)))
    (await followActiveRun(box, interruption)) ?? (await runPipeline(box, {}, interruption));
  const answers = await readAnswers(box);
  if (!answers) throw new BoxError("the run ended, and nothing is published");
  console.log(answersText(answers));
  const pages = addressesOf(box).map(({ name, url }) => `${name} ${url}`);
  console.log(`Boxoffice is ready. Answers: ./box answers, or docker compose logs hello. ${pages.join(", ")}`);
}

endOnInterrupt();
const environment = process.env as Variables;
try {
  await hello({ settings: environment, services: new Map(), environment });
} catch (error) {
  console.error(`hello: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
