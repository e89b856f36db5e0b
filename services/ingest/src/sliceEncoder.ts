import { bronzeSchema } from "@boxoffice/contracts/bronzeSchema";
import type { DatasetContract, DatasetName } from "@boxoffice/contracts/dataset";
import { deadLetterTopic, partitions, type sliceHeaders } from "@boxoffice/contracts/slice";
import {
  type Data,
  DateDay,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Struct,
  Utf8,
} from "apache-arrow";
import type { z } from "zod";
import type { Slice } from "./sliceCutter.ts";
import type { Numbers, SliceColumn, SliceRows } from "./sliceRows.ts";

/** What goes onto a topic. */
export interface SliceMessage {
  topic: string;
  partition: number;
  headers: Record<keyof z.infer<typeof sliceHeaders>, string>;
  value: Buffer;
}

/** A function from a slice to its messages: its rows, and its dead letters if it has any. The same slice, the same bytes. */
export function sliceEncoder(dataset: DatasetName, loadId: string, contract: DatasetContract) {
  const schema = bronzeSchema(contract);

  const arrowStream = ({ length, rowNumbers, columns: filled }: SliceRows): Buffer => {
    const none = new Uint8Array(length);
    const children = [{ kind: "id" as const, values: rowNumbers, isNull: none }, ...filled].map((column) =>
      columnData(column, length),
    );
    const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
    const writer = new RecordBatchStreamWriter();
    writer.write(new RecordBatch(schema, data));
    writer.finish();
    return Buffer.from(writer.toUint8Array(true));
  };

  return (slice: Slice): SliceMessage[] => {
    const message = (topic: string, rows: number, value: Buffer): SliceMessage => ({
      topic,
      partition: slice.group % partitions,
      headers: {
        dataset,
        load_id: loadId,
        slice: String(slice.number),
        group: String(slice.group),
        rows: String(rows),
        last: slice.isLast ? "1" : "0",
      },
      value,
    });
    const rows = message(dataset, slice.rows.length, arrowStream(slice.rows));
    if (slice.deadLetters.length === 0) return [rows];
    const lines = slice.deadLetters.map((letter) => `${JSON.stringify(letter)}\n`).join("");
    return [rows, message(deadLetterTopic, slice.deadLetters.length, Buffer.from(lines))];
  };
}

function columnData(column: SliceColumn, length: number): Data {
  const facts = { length, ...nullsOf(column.isNull.subarray(0, length)) };
  if (column.kind === "text" || column.kind === "genre_list")
    return makeData({ type: new Utf8(), ...textBuffers(column.values), ...facts });
  const numbers = column.values.subarray(0, length);
  switch (column.kind) {
    case "id":
      return makeData({ type: new Int32(), data: new Int32Array(numbers), ...facts });
    case "number":
      return makeData({ type: new Float64(), data: new Float64Array(numbers), ...facts });
    case "epoch_seconds":
      return makeData({ type: new Int64(), data: wholeNumbers(numbers), ...facts });
    case "date":
      return makeData({ type: new DateDay(), data: new Int32Array(numbers), ...facts });
  }
}

/** Non-negative whole numbers in 64 bits, by halves: a BigInt of each would take as long as the reading. */
function wholeNumbers(numbers: Numbers): BigInt64Array {
  const halves = new Uint32Array(numbers.length * 2);
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at] ?? 0;
    halves[at * 2] = value;
    halves[at * 2 + 1] = value / 2 ** 32;
  }
  return new BigInt64Array(halves.buffer);
}

/** Arrow's bitmap has a bit for each value that is there. */
function nullsOf(isNull: Uint8Array): { nullCount: number; nullBitmap: Uint8Array } {
  const nullBitmap = new Uint8Array(Math.ceil(isNull.length / 8));
  let nullCount = 0;
  for (let at = 0; at < isNull.length; at++) {
    if (isNull[at]) nullCount++;
    else nullBitmap[at >> 3] = (nullBitmap[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return { nullCount, nullBitmap };
}

function textBuffers(texts: readonly string[]): { valueOffsets: Int32Array; data: Buffer } {
  const valueOffsets = new Int32Array(texts.length + 1);
  for (const [at, text] of texts.entries()) valueOffsets[at + 1] = (valueOffsets[at] ?? 0) + Buffer.byteLength(text);
  return { valueOffsets, data: Buffer.from(texts.join("")) };
}
