import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { type DatasetName, datasets, groupSlices } from "@boxoffice/contracts/dataset";
import { tableFromIPC } from "apache-arrow";
import { readParquet } from "parquet-wasm";
import { describe, expect, it } from "vitest";
import { rootPath } from "../../scripts/boxHome.ts";
import { groupParquet } from "../../services/loader/src/groupParquet.ts";
import { encodedGroups } from "../kit/encodedGroups.ts";

/** What the loader makes of what ingest puts on the dataset's topic, group by group: the rows in Parquet. */
async function roundTrip(dataset: DatasetName, text: AsyncIterable<Buffer>) {
  return (await encodedGroups(dataset, text)).flatMap((group) => {
    const { rows, parquet } = groupParquet(group);
    const table = tableFromIPC(readParquet(parquet).intoIPCStream());
    expect(table.numRows).toBe(rows);
    return table.toArray().map((row) => row.toJSON());
  });
}

/** Slices of ratings in which one line each is as given, all others plain. */
async function* ratings(lines: readonly string[]): AsyncGenerator<Buffer> {
  yield Buffer.from("userId,movieId,rating,timestamp\n");
  for (const [slice, line] of lines.entries()) {
    const first = slice * datasets.ratings.sliceRecords + 1;
    const plain = Array.from({ length: datasets.ratings.sliceRecords }, (_, at) => `${first + at},1,3.5,1000000000`);
    plain[1] = line;
    yield Buffer.from(`${plain.join("\n")}\n`);
  }
}

const plain = "7,1,0.5,4294967295";
const kinds = {
  plain,
  "a dead letter": "x,1,1,1",
  "a time of more than 32 bits": "7,1,0.5,4294967296",
  "no rating": "7,1,,1000000000",
};

describe("slices in fewer bytes", () => {
  it("of the bundled movies have all rows in Parquet", async () => {
    const text = createReadStream(rootPath("data", "edition", "movies_metadata.csv.gz")).pipe(createGunzip());
    const rows = await roundTrip("movies", text);
    expect(rows).toHaveLength(45_460);
    expect(new Set(rows.map(({ row_number }) => row_number)).size).toBe(45_460);
    expect(rows.find(({ title }) => title === "Avatar")).toMatchObject({ budget: 237_000_000, revenue: 2_787_965_087 });
  }, 60_000);

  it.each(Object.keys(kinds) as (keyof typeof kinds)[])(
    "and others are one group, in either order: %s",
    async (kind) => {
      const { sliceRecords } = datasets.ratings;
      expect(groupSlices).toBeGreaterThan(1);
      for (const lines of [
        [plain, kinds[kind]],
        [kinds[kind], plain],
      ]) {
        const rows = await roundTrip("ratings", ratings(lines));
        const expected = lines.flatMap((line, slice) => {
          if (line.startsWith("x")) return [];
          const [user_id, movie_id, rating, timestamp] = line.split(",");
          return {
            row_number: slice * sliceRecords + 2,
            user_id: Number(user_id),
            movie_id: Number(movie_id),
            rating: rating ? Number(rating) : null,
            timestamp: BigInt(timestamp ?? ""),
          };
        });
        expect(rows.filter(({ row_number }) => row_number % sliceRecords === 2)).toEqual(expected);
        const plainRows = rows.filter(({ row_number }) => row_number % sliceRecords !== 2);
        expect(plainRows).toHaveLength(2 * (sliceRecords - 1));
        for (const { row_number, user_id, rating } of plainRows) {
          if (user_id !== row_number || rating !== 3.5)
            expect({ user_id, rating }).toEqual({ user_id: row_number, rating: 3.5 });
        }
      }
    },
  );
});
