import { createHash } from "node:crypto";
import { arrowTypes } from "@boxoffice/contracts/arrowTypes";
import { type DatasetName, datasetNames, datasets, groupSlices } from "@boxoffice/contracts/dataset";
import { lakeKeys, parseGroupKey } from "@boxoffice/contracts/lakeKeys";
import type { LoadManifest } from "@boxoffice/contracts/loadManifest";
import { contractColumns } from "@boxoffice/contracts/recordReader";
import { deadLetterTopic, partitions } from "@boxoffice/contracts/slice";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import {
  type DataType,
  Field,
  Int32,
  Schema,
  Table,
  tableFromIPC,
  tableToIPC,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import type { Kafka, Message } from "kafkajs";
import { readParquet } from "parquet-wasm";
import { until } from "./engines.ts";

type Cell = string | number | bigint | null;

export interface MadeSlice {
  slice: number;
  group: number;
  rows: number;
  last: boolean;
  value: Uint8Array;
  deadLetters: string[];
}

/** A load as ingest would publish it, its slices as short as the test likes. */
export interface MadeLoad {
  dataset: DatasetName;
  load_id: string;
  slices: MadeSlice[];
  manifest: LoadManifest;
}

/** Slices of the given numbers of rows; `rejects[n]` of slice n's records are dead letters on top. */
export function makeLoad(
  dataset: DatasetName,
  seed: string,
  rowsOfSlices: readonly number[],
  rejects: readonly number[] = [],
  landedAt = "2026-11-01T00:00:00.000Z",
): MadeLoad {
  const sha256 = createHash("sha256").update(seed).digest("hex");
  const load_id = `${sha256.slice(0, 16)}-v1`;
  let recordNumber = 0;
  const slices = rowsOfSlices.map((rows, slice): MadeSlice => {
    const first = recordNumber + 1;
    recordNumber += rows + (rejects[slice] ?? 0);
    const deadLetters = Array.from({ length: rejects[slice] ?? 0 }, (_none, at) => {
      const row_number = first + rows + at;
      return JSON.stringify({
        id: `${dataset}.${load_id}.${row_number}`,
        dataset,
        load_id,
        file: "made.csv",
        line: row_number + 1,
        row_number,
        column: null,
        rule: "wrong_number_of_cells",
        reason: "expected 4 cells, got 1",
        raw: "x",
      });
    });
    return {
      slice,
      group: Math.floor(slice / groupSlices),
      rows,
      last: slice === rowsOfSlices.length - 1,
      value: arrowSlice(dataset, first, rows),
      deadLetters,
    };
  });
  const group_rows: number[] = [];
  for (const { group, rows } of slices) group_rows[group] = (group_rows[group] ?? 0) + rows;
  const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
  const dead_letters = slices.reduce((sum, slice) => sum + slice.deadLetters.length, 0);
  const file = datasets[dataset].files[0] ?? dataset;
  const manifest: LoadManifest = {
    load_id,
    dataset,
    contract_version: 1,
    file,
    key: lakeKeys.source(dataset, load_id, file),
    bytes: 1,
    sha256,
    landed_at: landedAt,
    source_rows: rows + dead_letters,
    rows,
    dead_letters,
    rejected: dead_letters > 0 ? { wrong_number_of_cells: dead_letters } : {},
    slices: slices.length,
    dead_letter_slices: slices.filter((slice) => slice.deadLetters.length > 0).length,
    group_rows,
  };
  return { dataset, load_id, slices, manifest };
}

function arrowSlice(dataset: DatasetName, first: number, rows: number): Uint8Array {
  const numbers = Array.from({ length: rows }, (_none, at) => first + at);
  const columns: [string, DataType, Cell[]][] = [["row_number", new Int32(), numbers]];
  for (const { name, kind } of contractColumns(datasets[dataset])) {
    columns.push([name, arrowTypes[kind], numbers.map((number) => cellOf(kind, number))]);
  }
  const schema = new Schema(columns.map(([name, type]) => new Field(name, type, name !== "row_number")));
  if (rows === 0) return tableToIPC(new Table(schema, []), "stream");
  const vectors: Record<string, Vector> = {};
  for (const [name, type, cells] of columns) vectors[name] = vectorFromArray(cells, type);
  return tableToIPC(new Table(schema, vectors), "stream");
}

function cellOf(kind: keyof typeof arrowTypes, number: number): Cell {
  if (kind === "id") return number;
  if (number % 7 === 0) return null;
  if (kind === "number") return number / 2;
  if (kind === "epoch_seconds") return BigInt(number) * 100_000n;
  if (kind === "date") return (number - 5) * 86_400_000;
  return `text ${number} "é"\n`;
}

export interface ProduceOptions {
  topicPrefix?: string;
  /** Milliseconds since 1970 that the records state. */
  timestamp?: number;
}

/** Puts slices of a load on its topics, each group on its partition. */
export async function produce(
  kafka: Kafka,
  load: MadeLoad,
  slices: readonly MadeSlice[] = load.slices,
  { topicPrefix = "", timestamp = Date.now() }: ProduceOptions = {},
): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const message = (slice: MadeSlice, rows: number, value: Uint8Array): Message => ({
    partition: slice.group % partitions,
    timestamp: String(timestamp),
    headers: {
      dataset: load.dataset,
      load_id: load.load_id,
      slice: String(slice.slice),
      group: String(slice.group),
      rows: String(rows),
      last: slice.last ? "1" : "0",
    },
    value: Buffer.from(value),
  });
  for (let from = 0; from < slices.length; from += 64) {
    const some = slices.slice(from, from + 64);
    await producer.send({
      topic: `${topicPrefix}${load.dataset}`,
      messages: some.map((slice) => message(slice, slice.rows, slice.value)),
    });
    const rejects = some.filter((slice) => slice.deadLetters.length > 0);
    if (rejects.length === 0) continue;
    await producer.send({
      topic: `${topicPrefix}${deadLetterTopic}`,
      messages: rejects.map((slice) =>
        message(slice, slice.deadLetters.length, Buffer.from(slice.deadLetters.map((line) => `${line}\n`).join(""))),
      ),
    });
  }
  await producer.disconnect();
}

/** Makes the topics of one test file. */
export async function makeTopics(kafka: Kafka, topicPrefix: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const topics = [...datasetNames, deadLetterTopic].map((topic) => ({
    topic: `${topicPrefix}${topic}`,
    numPartitions: partitions,
    configEntries: [{ name: "retention.ms", value: "-1" }],
  }));
  await admin.createTopics({ topics, waitForLeaders: false });
  await until("the topics are known", () =>
    admin.fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) }).then(
      () => true,
      () => false,
    ),
  );
  await admin.disconnect();
}

export async function deleteTopics(kafka: Kafka, topicPrefix: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [...datasetNames, deadLetterTopic].map((topic) => `${topicPrefix}${topic}`) });
  await admin.disconnect();
}

export async function putManifest(lake: ObjectStore, { dataset, load_id, manifest }: MadeLoad): Promise<void> {
  await lake.put(lakeKeys.manifest(dataset, load_id), JSON.stringify(manifest));
}

/** Writes objects as a load leaves them in bronze, whose content nobody reads, and its dead letters. */
export async function putBronze(lake: ObjectStore, load: MadeLoad, groups = load.manifest.group_rows): Promise<void> {
  for (const [group, rows] of groups.entries()) {
    await lake.put(lakeKeys.group(load.dataset, load.load_id, group, rows), "rows");
  }
  for (const { slice, deadLetters } of load.slices) {
    if (deadLetters.length === 0) continue;
    await lake.put(lakeKeys.deadLetterSlice(load.dataset, load.load_id, slice), `${deadLetters.join("\n")}\n`);
  }
}

type LoadName = Pick<MadeLoad, "dataset" | "load_id">;

/** The keys of a load's bronze objects. */
export async function groupKeys(lake: ObjectStore, { dataset, load_id }: LoadName): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.list(`${lakeKeys.bronze(dataset, load_id)}/group-`)) {
    // S3Proxy lists an object that is being written too, under a temporary name.
    if (parseGroupKey(key)) keys.push(key);
  }
  return keys;
}

/** The row numbers in a load's bronze objects, in the order they are read. */
export async function rowNumbers(lake: ObjectStore, load: LoadName): Promise<number[]> {
  const numbers: number[] = [];
  for (const key of await groupKeys(lake, load)) {
    const bytes = await lake.bytes(key);
    if (!bytes) continue;
    const column = tableFromIPC(readParquet(bytes).intoIPCStream()).getChild("row_number");
    for (const value of column ?? []) numbers.push(Number(value));
  }
  return numbers;
}
