import { arrowTypes } from "@boxoffice/contracts/arrowTypes";
import type { CellKind } from "@boxoffice/contracts/cell";
import type { DatasetContract, DatasetName } from "@boxoffice/contracts/dataset";
import { type CellValue, contractColumns } from "@boxoffice/contracts/recordReader";
import { deadLetterTopic, partitions, type sliceHeaders } from "@boxoffice/contracts/slice";
import {
  type Data,
  DateDay,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
} from "apache-arrow";
import type { z } from "zod";
import type { Slice } from "./slices.ts";

/** What goes onto a topic. */
export interface SliceMessage {
  topic: string;
  partition: number;
  headers: Record<keyof z.infer<typeof sliceHeaders>, string>;
  value: Buffer;
}

/** A function from a slice to its messages: its rows, and its dead letters if it has any. The same slice, the same bytes. */
export function sliceEncoder(dataset: DatasetName, loadId: string, contract: DatasetContract) {
  const columns = contractColumns(contract);
  const schema = new Schema([
    new Field("row_number", new Int32(), false),
    ...columns.map(({ name, kind }) => new Field(name, arrowTypes[kind], true)),
  ]);

  const arrowStream = (slice: Slice): Buffer => {
    const numbers = slice.rows.map((row) => row.rowNumber);
    const children = [
      columnData("id", numbers),
      ...columns.map(({ kind }, at) =>
        columnData(
          kind,
          slice.rows.map((row) => row.values[at] ?? null),
        ),
      ),
    ];
    const data = makeData({ type: new Struct(schema.fields), length: slice.rows.length, nullCount: 0, children });
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
    const rows = message(dataset, slice.rows.length, arrowStream(slice));
    if (slice.deadLetters.length === 0) return [rows];
    const lines = slice.deadLetters.map((letter) => `${JSON.stringify(letter)}\n`).join("");
    return [rows, message(deadLetterTopic, slice.deadLetters.length, Buffer.from(lines))];
  };
}

function columnData(kind: CellKind, values: readonly CellValue[]): Data {
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8));
  let nullCount = 0;
  for (const [at, value] of values.entries()) {
    if (value === null) nullCount++;
    else nullBitmap[at >> 3] = (nullBitmap[at >> 3] ?? 0) | (1 << (at & 7));
  }
  const facts = { length: values.length, nullCount, nullBitmap };
  const amounts = () => values.map(Number);
  switch (kind) {
    case "id":
      return makeData({ type: new Int32(), data: Int32Array.from(amounts()), ...facts });
    case "number":
      return makeData({ type: new Float64(), data: Float64Array.from(amounts()), ...facts });
    case "epoch_seconds":
      return makeData({ type: new Int64(), data: BigInt64Array.from(amounts(), BigInt), ...facts });
    case "date":
      return makeData({ type: new DateDay(), data: Int32Array.from(amounts()), ...facts });
    case "genre_list":
    case "text":
      return makeData({ type: new Utf8(), ...textBuffers(values), ...facts });
  }
}

function textBuffers(values: readonly CellValue[]): { valueOffsets: Int32Array; data: Buffer } {
  const texts = values.map((value) => (value === null ? "" : String(value)));
  const valueOffsets = new Int32Array(texts.length + 1);
  for (const [at, text] of texts.entries()) valueOffsets[at + 1] = (valueOffsets[at] ?? 0) + Buffer.byteLength(text);
  return { valueOffsets, data: Buffer.from(texts.join("")) };
}
