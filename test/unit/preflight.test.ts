import { expect, test } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { problemsInTheLan, problemsOf } from "../../scripts/preflight.ts";
import { readEnvFile } from "../../scripts/settings.ts";

const ports = { INGEST_PORT: "1", LOADER_PORT: "2", S3_PORT: "3" };
const local = readEnvFile(rootPath("config", "local.env"), ports);
const development = readEnvFile(rootPath("config", "dev-secrets.env"), {});
const example = readEnvFile(rootPath("config", "aws.env.example"), {});
const filled = Object.fromEntries(
  Object.entries({ ...development, ...example }).map(([name, value]) => {
    if (value.includes("<")) return [name, "own"];
    return [name, value !== "" && value === development[name] ? "own-secret" : value];
  }),
);

test("settings that are all the user's own pass", () => {
  expect(problemsOf({ ...local, ...filled }, development, local)).toEqual([]);
});

test("every placeholder of the example is named", () => {
  const told = problemsOf({ ...local, ...filled, ...example }, development, local).join("\n");
  for (const name of Object.keys(example).filter((name) => example[name]?.includes("<"))) expect(told).toContain(name);
});

test("every development secret is named, and its value is not shown", () => {
  const secrets = Object.entries(development).filter(([, value]) => value !== "");
  const told = problemsOf({ ...local, ...filled, ...development }, development, local);
  const expected = secrets.map(([name]) => `${name} has the development value, which everybody knows`);
  expect(told.toSorted()).toEqual(expected.toSorted());
  for (const [, value] of secrets) expect(told.join("\n")).not.toContain(value);
});

test("a missing settings file leaves the local addresses, which are refused", () => {
  const told = problemsOf({ ...local, ...development }, development, local).join("\n");
  for (const name of ["S3_ENDPOINT", "WAREHOUSE_HOST"]) expect(told).toContain(`${name} is the address inside`);
});

test("one of a pair of keys is not enough", () => {
  const told = problemsOf({ ...local, ...filled, S3_ACCESS_KEY: "one" }, development, local);
  expect(told).toEqual([expect.stringContaining("set both")]);
});

test("development secrets do not guard ports that are open to other hosts", () => {
  expect(problemsInTheLan(filled, development)).toEqual([]);
  expect(problemsInTheLan(development, development).join("\n")).toMatch(
    /SPARK_SECRET.*\nS3_ACCESS_KEY.*\nS3_SECRET_KEY/,
  );
});
