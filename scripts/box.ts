import { answersText } from "@boxoffice/answers/answersText";
import { mostRatingsPosted } from "@boxoffice/contracts/liveRating";
import { ServiceError } from "@boxoffice/platform/serviceError";
import { Command, CommanderError, Option } from "commander";
import { addressesOf } from "./addresses.ts";
import { bench, benchText } from "./bench.ts";
import { BoxError, exitCode } from "./boxError.ts";
import { fromCaller } from "./boxHome.ts";
import { chooseRuntime } from "./chooseRuntime.ts";
import { clientEnvironment } from "./clientEnvironment.ts";
import { addDeadLettersCommand } from "./deadLettersCommand.ts";
import { loadImages, saveImages } from "./docker/imageArchive.ts";
import { images, imagesText } from "./docker/images.ts";
import { withBoxLock } from "./fileLock.ts";
import { generatedText, ProgressLines } from "./generate/generatedText.ts";
import { generateEdition } from "./generate/generateEdition.ts";
import { endOnInterrupt, interruption } from "./interrupt.ts";
import { type Criteria, unmetCriteria } from "./live/criteria.ts";
import { liveLine, liveText } from "./live/liveText.ts";
import { type Box, openBox } from "./openBox.ts";
import { followActiveRun, type RunOutcome, runPipeline } from "./pipeline/runPipeline.ts";
import { publishedAnswers } from "./publishedAnswers.ts";
import { resetBox } from "./reset.ts";
import { forgetPorts, type RuntimeName, runtimeNames } from "./startedBox.ts";
import { readStatus } from "./status.ts";
import { bold, clear, dim, green, line, red, transient, yellow } from "./terminal.ts";
import { runSuites, type SuiteChoice, suiteNames } from "./test/runSuites.ts";
import { wholeNumber } from "./wholeNumber.ts";

interface UpOptions {
  runtime?: RuntimeName;
  services?: string[];
}

interface RunOptions {
  edition?: string;
  append?: string;
  fullRefresh?: boolean;
  allowOlder?: boolean;
}

async function up({ runtime, services }: UpOptions): Promise<void> {
  const box = await openBox({ runtime, isToStart: true });
  if (services) refuseUnknown(box, services);
  await withBoxLock(() => box.runtime.start(box, services));
  if (services) return;
  if (!(await publishedAnswers(box))) {
    printOutcome((await followActiveRun(box, interruption)) ?? (await runPipeline(box, {}, interruption)));
  }
  await withBoxLock(() => box.runtime.complete());
  await printAnswers(box, false);
  line();
  line(bold("Open"));
  for (const { name, url } of addressesOf(box.settings)) line(`  ${name.padEnd(12)}${url}`);
  line(dim(`  Airflow's user is admin; AIRFLOW_PASSWORD and the others are in ${box.runtime.secretsFile()}`));
  line(dim("  Next: ./box status, ./box run --edition DIR, ./box answers --json, ./box down"));
}

function refuseUnknown(box: Box, services: readonly string[]): void {
  const unknown = services.filter((name) => !box.services.has(name));
  if (unknown.length === 0) return;
  const known = [...box.services.keys()].sort().join(", ");
  throw new BoxError(`there is no service ${unknown.join(", ")}; there are ${known}`, exitCode.usage);
}

async function run(box: Box, { edition, append, fullRefresh, allowOlder }: RunOptions): Promise<void> {
  const outcome = await runPipeline(
    box,
    {
      ...(edition === undefined ? {} : { edition: await editionPath(box, edition) }),
      ...(append === undefined ? {} : { append: await box.runtime.editionPath(fromCaller(append)) }),
      ...(fullRefresh ? { full_refresh: true } : {}),
      ...(allowOlder ? { allow_older: true } : {}),
    },
    interruption,
  );
  printOutcome(outcome);
}

const editionPath = async ({ runtime }: Box, edition: string) =>
  edition === "kaggle" ? edition : runtime.editionPath(fromCaller(edition));

function printOutcome(outcome: RunOutcome): void {
  const waiting = `${outcome.waitingSeconds.toFixed(0)} s of it between tasks`;
  line(`${green("Published")} ${outcome.runId} in ${outcome.seconds.toFixed(0)} s (${waiting})`);
}

async function printAnswers(box: Box, asJson: boolean): Promise<void> {
  const answers = await publishedAnswers(box);
  if (!answers) throw new BoxError("no run has been published yet; ./box run makes one");
  console.log(asJson ? JSON.stringify(answers, null, 2) : `\n${answersText(answers)}`);
}

const runtimeOption = () => new Option("--runtime <runtime>", "where the services run").choices(runtimeNames);

/** Of the full file of The Movies Dataset. */
const publishedRatings = 26_024_289;

interface BenchCommand {
  edition?: string;
  full?: boolean;
  ratings?: number;
  runtime?: RuntimeName;
  json?: boolean;
}

interface LiveCommand extends Criteria {
  rate: number;
  seconds: number;
  batch: number;
  seed: number;
  json?: boolean;
}

async function live(box: Box, { json, batch, p99, leastRate, ...options }: LiveCommand): Promise<void> {
  if (batch > mostRatingsPosted)
    throw new BoxError(`--batch may be ${mostRatingsPosted} at most: ingest takes no more at once`, exitCode.usage);
  const { driveLive } = await import("./live/drive.ts");
  const report = await driveLive(box, {
    ...options,
    batch,
    signal: interruption,
    onProgress: (soFar) => (json ? transient(liveLine(soFar)) : line(liveLine(soFar))),
  });
  clear();
  console.log(json ? JSON.stringify(report, null, 2) : liveText(report));
  const unmet = unmetCriteria(report, options.seconds, { p99, leastRate });
  for (const text of unmet) line(red(text));
  const isWhole = report.acknowledged > 0 && report.missing === 0 && report.doubled === 0;
  if (!isWhole || unmet.length > 0) process.exitCode = exitCode.failed;
}

interface GenerateCommand {
  ratings: number;
  seed: number;
  out: string;
  crlf?: boolean;
  force?: boolean;
  json?: boolean;
}

async function generate({ out, crlf, force, json, ...options }: GenerateCommand): Promise<void> {
  const progress = new ProgressLines(options.ratings);
  const report = await generateEdition({
    ...options,
    directory: fromCaller(out),
    lineEnd: crlf ? "\r\n" : "\n",
    force: force ?? false,
    signal: interruption,
    onProgress: (rows) => progress.show(rows),
  });
  clear();
  console.log(json ? JSON.stringify(report, null, 2) : generatedText(report));
  line(dim(`  Next: ./box run --edition ${out}`));
}

const program = new Command("box")
  .description("Boxoffice: a movie-analytics pipeline in a box")
  .showHelpAfterError()
  .exitOverride();

program
  .command("up")
  .description("install what is missing, start everything, run the pipeline once, print the answers")
  .addOption(runtimeOption())
  .option("--services <names...>", "start only these services and what they need")
  .action(up);

program
  .command("run")
  .description("run the pipeline and follow it hop by hop")
  .option("--edition <path>", "a directory with the dataset's files, or `kaggle`; default: the bundled edition")
  .addOption(
    new Option(
      "--append <path>",
      "a directory with only added or changed records, which join what is published",
    ).conflicts(["edition", "fullRefresh"]),
  )
  .option("--full-refresh", "load everything anew, even bytes that were loaded before")
  .option("--allow-older", "publish an edition that landed before the published one")
  .action(async (options: RunOptions) => run(await openBox(), options));

program
  .command("answers")
  .description("print the published answers")
  .option("--json", "as one JSON document")
  .action(async (options: { json?: boolean }) => printAnswers(await openBox(), options.json ?? false));

program
  .command("status")
  .description("show what runs and which run is published")
  .option("--json", "as one JSON document")
  .action(async (options: { json?: boolean }) => {
    const status = await readStatus(await openBox());
    if (options.json) {
      console.log(JSON.stringify(status, null, 2));
      return;
    }
    const colours = { ready: green, starting: yellow, down: red };
    for (const { service, state, pid, ports } of status.services) {
      const process = pid === null ? "" : `pid ${pid}`;
      console.log(`${service.padEnd(24)}${colours[state](state.padEnd(10))}${process.padEnd(12)}${ports.join(", ")}`);
    }
    console.log(
      status.published
        ? `published: ${status.published.run_id} at ${status.published.published_at}`
        : `published: ${status.published === null ? "nothing yet" : "unknown, the warehouse does not answer"}`,
    );
  });

program
  .command("logs")
  .description("print the end of the services' logs")
  .argument("[service]", "one service; default: all")
  .addOption(new Option("-n, --lines <count>", "lines of each").argParser(wholeNumber).default(40))
  .action(async (service: string | undefined, options: { lines: number }) => {
    await (await openBox()).runtime.printLogs(service, options.lines);
  });

addDeadLettersCommand(program);

const imagesCommand = program.command("images").description("the images of the profiles in COMPOSE_PROFILES");
imagesCommand
  .command("list")
  .description("list the images, and whether the engine has them")
  .option("--json", "as one JSON document")
  .action(async (options: { json?: boolean }) => {
    const list = await images();
    console.log(options.json ? JSON.stringify(list, null, 2) : imagesText(list));
  });
imagesCommand
  .command("save <file>")
  .description("write all of them into one archive, for machines without internet; compressed when it ends in .gz")
  .action((file: string) => saveImages(fromCaller(file)));
imagesCommand
  .command("load <file>")
  .description("give the engine the images of an archive")
  .action((file: string) => loadImages(fromCaller(file)));

program
  .command("env")
  .description("print addresses and secrets for a client of this box, as NAME=value lines")
  .option("--json", "as one JSON document")
  .action(async (options: { json?: boolean }) => {
    const client = clientEnvironment(await openBox());
    if (options.json) console.log(JSON.stringify(client, null, 2));
    else for (const [name, value] of Object.entries(client)) console.log(`${name}=${value}`);
  });

program
  .command("test")
  .description("run every test suite; the last line counts what passed and failed")
  .option("--only <suites...>", `of ${suiteNames.join(", ")}`)
  .option("--quick", "leave out the suites that start engines")
  .addOption(
    new Option(
      "--chaos",
      "only this: kill services at random for a quarter of an hour (CHAOS_SEED repeats one); needs Docker",
    ).conflicts(["only", "quick"]),
  )
  .option("--no-docker", "use no containers: leave out the suite that runs the box in them")
  .action(async ({ chaos, ...options }: SuiteChoice & { chaos?: boolean }) => {
    if (!(await runSuites(chaos ? { ...options, only: ["chaos"] } : options))) process.exitCode = exitCode.failed;
  });

program
  .command("bench")
  .description("measure a full refresh on engines that are up; it is published, even over a newer edition")
  .option("--edition <path>", "a directory with the dataset's files; default: the bundled edition")
  .addOption(
    new Option(
      "--full",
      "generated ratings in three sizes, each loaded and published, and the limits of this machine beside the hops",
    ).conflicts("edition"),
  )
  .addOption(
    new Option(
      "--ratings <n>",
      "with --full: the largest size; default: 26024289, as the published file has",
    ).argParser(wholeNumber),
  )
  .addOption(runtimeOption())
  .option("--json", "as one JSON document")
  .action(async (options: BenchCommand) => {
    if (options.ratings !== undefined && !options.full)
      throw new BoxError("--ratings goes with --full; ./box generate makes an edition for --edition", exitCode.usage);
    const box = await openBox({ runtime: options.runtime });
    if (options.full) {
      const { fullBench, fullBenchText } = await import("./fullBench/fullBench.ts");
      const report = await fullBench(box, {
        ratings: options.ratings ?? publishedRatings,
        seed: 1,
        signal: interruption,
      });
      console.log(options.json ? JSON.stringify(report, null, 2) : fullBenchText(report));
      return;
    }
    const edition = options.edition === undefined ? undefined : await editionPath(box, options.edition);
    const report = await bench(box, edition, interruption);
    console.log(options.json ? JSON.stringify(report, null, 2) : benchText(report));
  });

program
  .command("live")
  .description("post single ratings at a rate, and measure how soon each is seen in the mart")
  .addOption(new Option("--rate <n>", "ratings per second").argParser(wholeNumber).default(10))
  .addOption(new Option("--seconds <s>", "for how long").argParser(wholeNumber).default(60))
  .addOption(new Option("--batch <n>", "ratings in one request").argParser(wholeNumber).default(1))
  .addOption(new Option("--seed <n>", "draws the same ratings from the same box").argParser(wholeNumber).default(1))
  .addOption(
    new Option("--p99 <ms>", "fail when more than 1 of 100 ratings take longer to be seen").argParser(wholeNumber),
  )
  .addOption(new Option("--least-rate <n>", "fail when fewer ratings per second are sent").argParser(wholeNumber))
  .option("--json", "as one JSON document")
  .action(async (options: LiveCommand) => live(await openBox(), options));

program
  .command("generate")
  .description(
    "write an edition with ratings.csv in the shape of the full MovieLens file, the same for a seed everywhere",
  )
  .addOption(
    new Option("--ratings <n>", "rows of ratings.csv, up to 2147483647; the published file has 26024289")
      .argParser(wholeNumber)
      .makeOptionMandatory(),
  )
  .addOption(new Option("--seed <n>", "another seed, other ratings").argParser(wholeNumber).default(1))
  .requiredOption("--out <directory>", "where to; made when it is missing")
  .option("--crlf", "end lines in CRLF instead of LF")
  .option("--force", "replace files that are there")
  .option("--json", "print a summary as one JSON document")
  .action(generate);

program
  .command("doctor")
  .description("say what is missing on this machine or in the way, and the remedy")
  .option("--json", "as one JSON document")
  .action(async (options: { json?: boolean }) => {
    const box = await openBox();
    const findings = await box.runtime.examine(box);
    if (options.json) console.log(JSON.stringify(findings, null, 2));
    else {
      const colours = { ok: green, warn: yellow, stop: red };
      for (const { check, level, found, remedy } of findings) {
        console.log(`${colours[level](level.padEnd(6))}${check}: ${found}${remedy ? `\n      ${remedy}` : ""}`);
      }
    }
    if (findings.some(({ level }) => level === "stop")) process.exitCode = exitCode.environment;
  });

program
  .command("down")
  .description("end everything that runs of this box; its state stays")
  .action(async () => {
    const runtime = await chooseRuntime();
    await withBoxLock(() => runtime.stop());
    forgetPorts();
  });

program
  .command("reset")
  .description("end the box and remove its state")
  .option("--yes", "do not ask")
  .action(async (options: { yes?: boolean }) => resetBox(await chooseRuntime(), options.yes ?? false));

endOnInterrupt();
// Whoever reads the output may stop early, as head does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

try {
  await program.parseAsync();
} catch (thrown) {
  clear();
  // What an interruption breaks off is no error of its own, unless the command has something to say about it.
  const isOwnMessage = thrown instanceof BoxError && thrown.exitCode === exitCode.interrupted;
  const error = interruption.aborted && !isOwnMessage ? interruption.reason : thrown;
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : exitCode.usage;
  } else if (error instanceof BoxError || error instanceof ServiceError) {
    line(`${red("box:")} ${error.message}`);
    process.exitCode = error instanceof BoxError ? error.exitCode : exitCode.failed;
  } else {
    line(`${red("box:")} an unexpected error, please report it`);
    console.error(error);
    process.exitCode = exitCode.failed;
  }
}
