import { afterAll, expect, test } from "vitest";
import { encodedGroups } from "../../../test/kit/encodedGroups.ts";
import { groupParquet } from "../src/groupParquet.ts";
import type { Slice } from "../src/openGroups.ts";
import { ParquetThread } from "../src/parquetThread.ts";

const thread = new ParquetThread(["--import", "tsx"]);
afterAll(() => thread.close());

/** As they come from their topic: ratings of users who rated a hundred movies each. */
async function ratings(records: number): Promise<Slice[]> {
  const lines = Array.from(
    { length: records },
    (_none, at) => `${1 + Math.floor(at / 100)},${1 + (at % 100)},3.5,${at}`,
  );
  const text = (async function* () {
    yield Buffer.from(`userId,movieId,rating,timestamp\n${lines.join("\n")}\n`);
  })();
  return (await encodedGroups("ratings", text)).flat();
}

test.each([100, 250_000])("of %d rows the file is the one that is made here, and the slices stay", async (records) => {
  const group = await ratings(records);
  const file = await thread.encode(group);
  expect(file.rows).toBe(records);
  expect(Buffer.from(file.parquet).equals(groupParquet(group).parquet)).toBe(true);
  expect(group.every(({ value }) => value.length > 0)).toBe(true);
});

test("slices that are refused are so by the same error", async () => {
  const group = (await ratings(250_000)).map((slice) => ({ ...slice, rows: slice.rows + 1 }));
  let expected: unknown;
  try {
    groupParquet(group);
  } catch (error) {
    expected = error;
  }
  const { code, message } = expected as { code: string; message: string };
  expect(code).toBe("bad_slice");
  await expect(thread.encode(group)).rejects.toMatchObject({ name: "ServiceError", code, message });
});
