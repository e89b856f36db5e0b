import { defineConfig } from "vitest/config";

/** Tests that need no engine; the others of the services get the addresses of real ones. */
const unit = [
  "services/answers/test/**/*.test.ts",
  "services/ingest/test/{config,contractCells,csvRecords,download,livePublisher,liveRating,plainNumbers,rateLimit,recordReader,slices,spool}.test.ts",
  "services/loader/test/{ascendingKeys,deadLetterFixes,fullLake,groupMember,liveBronze,liveCompaction,olderEdition,openGroups,sweepLake,whenReachable}.test.ts",
  "test/unit/**/*.test.ts",
  "platform/test/**/*.test.ts",
];

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: unit } },
      {
        test: {
          name: "integration",
          include: ["services/*/test/**/*.test.ts"],
          exclude: unit,
          testTimeout: 60_000,
          hookTimeout: 60_000,
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
          globalSetup: "test/docker/firstUp.ts",
          testTimeout: 600_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "chaos",
          include: ["test/docker/chaos.test.ts"],
          globalSetup: "test/docker/firstUp.ts",
          hookTimeout: 900_000,
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
