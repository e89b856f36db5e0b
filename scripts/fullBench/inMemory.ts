/**
 * What one core does of ingest and of the loader with nothing around them: reads a ratings.csv, checks and encodes it into
 * slices; decodes these and encodes them as Parquet. Nothing leaves memory.
 *
 *   node --import tsx scripts/fullBench/inMemory.ts <ratings.csv>
 *
 * Prints {rows, slices, bytes, ingest_seconds, bronze_seconds}.
 */
import { createReadStream } from "node:fs";
import { datasets, groupSlices } from "@boxoffice/contracts/dataset";
import { sliceHeaders } from "@boxoffice/contracts/slice";
import { type SliceMessage, sliceEncoder } from "../../services/ingest/src/sliceEncoder.ts";
import { slices } from "../../services/ingest/src/slices.ts";
import { groupParquet } from "../../services/loader/src/groupParquet.ts";

const path = process.argv[2];
if (!path) throw new Error("expected the path of a ratings.csv");

/** Of no load that there is. */
const loadId = "0000000000000000-v1";
let rows = 0;
let count = 0;
let bytes = 0;
let bronzeSeconds = 0;
let group: SliceMessage[] = [];

function writeGroup(): void {
  const begin = performance.now();
  groupParquet(
    group.map(({ headers, value }, at) => ({
      ...sliceHeaders.parse(headers),
      offset: BigInt(at),
      timestamp: 0,
      value: new Uint8Array(value),
    })),
  );
  bronzeSeconds += (performance.now() - begin) / 1000;
  group = [];
}

const encode = sliceEncoder("ratings", loadId, datasets.ratings);
const begin = performance.now();
const text = createReadStream(path, { highWaterMark: 1 << 20 });
for await (const slice of slices({ dataset: "ratings", loadId, file: "ratings.csv", text })) {
  const [message] = encode(slice);
  rows += slice.rows.length;
  count += 1;
  bytes += message?.value.length ?? 0;
  if (message) group.push(message);
  if (group.length === groupSlices) writeGroup();
}
if (group.length > 0) writeGroup();
const seconds = (performance.now() - begin) / 1000;
const report = { rows, slices: count, bytes, ingest_seconds: seconds - bronzeSeconds, bronze_seconds: bronzeSeconds };
console.log(JSON.stringify(report));
