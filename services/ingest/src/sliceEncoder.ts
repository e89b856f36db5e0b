import { bronzeSchema } from "@boxoffice/contracts/bronzeSchema";
import type { DatasetContract, DatasetName } from "@boxoffice/contracts/dataset";
import { firstRowNumber, wholeNumbers } from "@boxoffice/contracts/narrowSlice";
import { deadLetterTopic, partitions, type sliceHeaders } from "@boxoffice/contracts/slice";
import {
  type Data,
  DateDay,
  Field,
  Float32,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Uint32,
  Utf8,
} from "apache-arrow";
import type { z } from "zod";
import type { Slice } from "./sliceCutter.ts";
import type { SliceColumn, SliceRows } from "./sliceRows.ts";

/** What goes onto a topic. */
export interface SliceMessage {
  topic: string;
  partition: number;
  headers: Record<keyof z.infer<typeof sliceHeaders>, string>;
  value: Buffer;
}

/** A function from a slice to its messages: its rows, and its dead letters if it has any. The same slice, the same bytes. */
export function sliceEncoder(dataset: DatasetName, loadId: string, contract: DatasetContract) {
  const { fields } = bronzeSchema(contract);

  const arrowStream = ({ length, rowNumbers, columns }: SliceRows): Buffer => {
    const first = rowNumbers[0] ?? 1;
    const areConsecutive = length === 0 || rowNumbers[length - 1] === first + length - 1;
    const filled = (at: number, column: SliceColumn) => {
      const field = fields[at];
      if (!field) throw new Error(`bronze has no column ${at}`);
      const data = columnData(column, length);
      return { field: new Field(field.name, data.type, field.nullable), data };
    };
    const sent = columns.map((column, at) => filled(at + 1, column));
    if (!areConsecutive) sent.unshift(filled(0, { kind: "id", values: rowNumbers, isNull: new Uint8Array(length) }));
    const schema = new Schema(
      sent.map(({ field }) => field),
      new Map(areConsecutive ? [[firstRowNumber, String(first)]] : []),
    );
    const children = sent.map(({ data }) => data);
    const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
    const writer = new RecordBatchStreamWriter();
    writer.write(new RecordBatch(schema, data));
    writer.finish();
    const { buffer, byteOffset, byteLength } = writer.toUint8Array(true);
    return Buffer.from(buffer, byteOffset, byteLength);
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
      return numbers.every((value) => value === Math.fround(value))
        ? makeData({ type: new Float32(), data: new Float32Array(numbers), ...facts })
        : makeData({ type: new Float64(), data: new Float64Array(numbers), ...facts });
    case "epoch_seconds":
      return numbers.every((value) => value < 2 ** 32)
        ? makeData({ type: new Uint32(), data: new Uint32Array(numbers), ...facts })
        : makeData({ type: new Int64(), data: wholeNumbers(numbers), ...facts });
    case "date":
      return makeData({ type: new DateDay(), data: new Int32Array(numbers), ...facts });
  }
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
