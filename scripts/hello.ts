import { answersText } from "@boxoffice/answers/answersText";
import { addressesOf } from "./addresses.ts";
import { BoxError } from "./boxError.ts";
import { endOnInterrupt, interruption } from "./interrupt.ts";
import { followActiveRun, runPipeline } from "./pipeline/runPipeline.ts";
import { publishedAnswers } from "./publishedAnswers.ts";
import type { Variables } from "./settings.ts";

/**
 * The one-shot service of docker-compose.yml: runs the pipeline where nothing is published yet, prints the
 * answers, and last where they and the pages are. Exits 1, with the reason, when there are no answers to print.
 */
async function hello(environment: Variables): Promise<void> {
  const box = { environment };
  if (!(await publishedAnswers(box)))
    (await followActiveRun(box, interruption)) ?? (await runPipeline(box, {}, interruption));
  const answers = await publishedAnswers(box);
  if (!answers) throw new BoxError("the run ended, and nothing is published");
  console.log(answersText(answers));
  const pages = addressesOf(environment).map(({ name, url }) => `${name} ${url}`);
  console.log(`Boxoffice is ready. Answers: ./box answers, or docker compose logs hello. ${pages.join(", ")}`);
}

endOnInterrupt();
try {
  await hello(process.env as Variables);
} catch (error) {
  console.error(`hello: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
