import { type DatasetName, datasets } from "@boxoffice/contracts/dataset";
import { sliceHeaders } from "@boxoffice/contracts/slice";
import { sliceEncoder } from "../../services/ingest/src/sliceEncoder.ts";
import { slices } from "../../services/ingest/src/slices.ts";
import type { Slice } from "../../services/loader/src/openGroups.ts";

/** What ingest puts on the dataset's topic of a source's text, as the loader takes it, group by group. */
export async function encodedGroups(dataset: DatasetName, text: AsyncIterable<Buffer>): Promise<Slice[][]> {
  const loadId = "0123456789abcdef-v2";
  const encode = sliceEncoder(dataset, loadId, datasets[dataset]);
  const groups = new Map<number, Slice[]>();
  for await (const slice of slices({ dataset, loadId, file: "f.csv", text })) {
    for (const { topic, headers, value } of encode(slice)) {
      if (topic !== dataset) continue;
      const parsed = sliceHeaders.parse(headers);
      const group = groups.get(parsed.group) ?? [];
      group.push({ ...parsed, offset: BigInt(slice.number), timestamp: 0, value: new Uint8Array(value) });
      groups.set(parsed.group, group);
    }
  }
  return [...groups.values()];
}
