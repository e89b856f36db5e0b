import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Tests that need no engine; the others of the services get the addresses of real ones. */
const unit = [
  "services/answers/test/**/*.test.ts",
  "services/ingest/test/{config,contractCells,csvRecords,download,endlessText,everyRecord,livePublisher,liveRating,plainNumbers,rateLimit,recordReader,slices,spool}.test.ts",
  "services/loader/test/{ascendingKeys,deadLetterFixes,endedRun,fullLake,groupMember,liveBronze,liveCompaction,moviesOfLinks,olderEdition,openGroups,parquetThread,ratingFacts,ratingTuples,sweepLake,whenReachable}.test.ts",
  "test/unit/**/*.test.ts",
  "platform/test/**/*.test.ts",
];

/**
 * These leave the box of their suite otherwise than they found it: with another edition published, with other secrets,
 * or with ratings that nothing takes back. In this order none needs what one before it has changed, so nothing is put
 * back, which would take a run each time.
 */
const last = [
  ...["docker/verbs", "docker/chaos", "docker/crashes", "docker/scaled", "docker/loaders", "docker/live"],
  "docker/liveChaos",
  ...["e2e/append", "e2e/fullBench", "e2e/watch", "e2e/liveRatings"],
].map((name) => `/test/${name}.test.ts`);
const placeOf = ({ moduleId }: TestSpecification) => last.findIndex((file) => moduleId.endsWith(file));

class SpoilersLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => placeOf(one) - placeOf(other));
  }
}

/** A second, as by default, is little where as many tests as processors run. */
const expectations = { poll: { timeout: 10_000 } };

export default defineConfig({
  test: {
    sequence: { sequencer: SpoilersLast },
    projects: [
      { test: { name: "unit", include: unit, expect: expectations } },
      {
        test: {
          name: "integration",
          include: ["services/*/test/**/*.test.ts"],
          exclude: unit,
          expect: expectations,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: "faults",
          include: ["test/faults/*.test.ts"],
          globalSetup: "test/faults/sharedStores.ts",
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "containers",
          include: ["test/docker/*.test.ts"],
          exclude: ["test/docker/liveChaos.test.ts"],
          globalSetup: "test/docker/firstUp.ts",
          testTimeout: 600_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "chaos",
          include: ["test/docker/{chaos,liveChaos}.test.ts"],
          globalSetup: "test/docker/firstUp.ts",
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: "test/e2e/firstUp.ts",
          testTimeout: 600_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
