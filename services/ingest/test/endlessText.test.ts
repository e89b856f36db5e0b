import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { datasets } from "@boxoffice/contracts/dataset";
import { contractColumns } from "@boxoffice/contracts/recordReader";
import { expect, test } from "vitest";
import { slices } from "../src/slices.ts";

const ratingsHeader = "userId,movieId,rating,timestamp";
const chunkBytes = 1 << 16;

/** The beginning, and what follows it again and again, so often that a reader who kept it all would be seen. */
async function* repeated(beginning: string, what: string, told: { chunks: number }, most: number) {
  yield Buffer.from(beginning);
  const chunk = Buffer.from(what.repeat(Math.ceil(chunkBytes / what.length)));
  for (; told.chunks < most; told.chunks++) yield chunk;
}

async function slicesOf(text: AsyncIterable<Buffer>, dataset: "ratings" | "movies" = "ratings") {
  const found = [];
  for await (const slice of slices({ dataset, loadId: "load", file: `${dataset}.csv`, text })) found.push(slice);
  return found;
}

test("empty lines are no records, and are not kept, however many there are", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc");
  const names = contractColumns(datasets.movies).map(({ name }) => name);
  const kept = () => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const text = (async function* () {
    yield* repeated(`\uFEFF${names.join(",")}\n`, "\r\n", { chunks: 0 }, 500);
    await expect.poll(kept, { timeout: 10_000 }).toBeLessThan(16 << 20);
    yield Buffer.from(names.map((name) => (name === "id" ? "862" : "")).join(","));
  })();
  const [slice] = await slicesOf(text, "movies");
  expect(slice?.rows.length).toBe(1);
}, 60_000);

const lineEnds = /expected: records that end in LF or CRLF/;
const notEnded = /found: +a record of more than 1048576 bytes without a line end/;
const carriageReturns = /found: +more than 1048576 bytes with CR alone and no LF/;

test.each([
  ["ratings that end in CR alone", `${ratingsHeader}\n1,1,5.0,1\n`, "1,31,2.5,1260759144\r", 3, carriageReturns],
  ["the line of column names too", `${ratingsHeader}\r`, "1,31,2.5,1260759144\r", 1, carriageReturns],
  ["digits without end", `${ratingsHeader}\r\n1,31,`, "1", 2, notEnded],
  ["commas without end", `${ratingsHeader}\n1`, ",", 2, notEnded],
  ["column names without end", "userId,movieId,", "rating,", 1, notEnded],
  ["empty cells in quotes without end", `${ratingsHeader}\n`, '"",', 2, notEnded],
])("of %s no more is read than a record may have, and it is refused with its line", async (_what, ...given) => {
  const [beginning, what, line, found] = given;
  const told = { chunks: 0 };
  const error = await slicesOf(repeated(beginning, what, told, 512)).catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ name: "ServiceError", code: "missing_line_end", retryable: false });
  expect(String(error)).toMatch(new RegExp(`ratings.csv, line ${line}: .*line`));
  expect(String(error)).toMatch(lineEnds);
  expect(String(error)).toMatch(found);
  expect(told.chunks).toBeLessThan(40);
});
