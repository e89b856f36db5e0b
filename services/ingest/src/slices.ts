import { type DatasetName, datasets, groupSlices } from "@boxoffice/contracts/dataset";
import type { DeadLetter } from "@boxoffice/contracts/deadLetter";
import { type CellValue, type ReadResult, recordReader } from "@boxoffice/contracts/recordReader";
import { badSource } from "./badSource.ts";
import { type CsvBatch, type CsvRecord, csvRecords } from "./csvRecords.ts";
import { checkBeginning, checkHeader } from "./header.ts";

/** A good record: its number (1 = the first after the header) and its cells in contract order. */
export interface SliceRow {
  rowNumber: number;
  values: CellValue[];
}

/** A fixed number of consecutive source records, the good ones and the bad ones apart. */
export interface Slice {
  number: number;
  group: number;
  isLast: boolean;
  rows: SliceRow[];
  deadLetters: DeadLetter[];
}

/** A source to cut: of which load, by which name its dead letters call it, and its unpacked text. */
export interface SlicedFile {
  dataset: DatasetName;
  loadId: string;
  file: string;
  text: AsyncIterable<Buffer>;
}

/** Cuts a source's text into slices; what they hold depends on the text alone. At least one, or an error. */
export async function* slices(source: SlicedFile): AsyncGenerator<Slice> {
  const contract = datasets[source.dataset];
  let read: ((cells: readonly string[]) => ReadResult) | undefined;
  let rowNumber = 0;
  let slice: Slice | undefined;

  for await (const batch of csvRecords(source.file, refusingOtherFormats(source.file, source.text))) {
    for (const record of batch.records) {
      if (!read) {
        checkHeader(source.dataset, source.file, record.cells);
        read = recordReader(contract, record.cells);
        continue;
      }
      if (rowNumber % contract.sliceRecords === 0) {
        if (slice) yield slice;
        slice = emptySlice(rowNumber / contract.sliceRecords);
      }
      rowNumber++;
      const result = read(record.cells);
      if ("values" in result) slice?.rows.push({ rowNumber, values: result.values });
      else slice?.deadLetters.push(deadLetter(source, rowNumber, result.rejection, batch, record));
    }
  }
  if (!slice) throw emptySource(source.file, read !== undefined);
  yield { ...slice, isLast: true };
}

function emptySlice(number: number): Slice {
  return { number, group: Math.floor(number / groupSlices), isLast: false, rows: [], deadLetters: [] };
}

function deadLetter(
  { dataset, loadId, file }: SlicedFile,
  rowNumber: number,
  rejection: Extract<ReadResult, { rejection: unknown }>["rejection"],
  batch: CsvBatch,
  record: CsvRecord,
): DeadLetter {
  const id = `${dataset}.${loadId}.${rowNumber}`;
  return { id, dataset, load_id: loadId, file, row_number: rowNumber, ...rejection, ...batch.origin(record) };
}

async function* refusingOtherFormats(file: string, text: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of text) {
    if (isFirst) checkBeginning(file, chunk.subarray(0, 1024));
    isFirst = false;
    yield chunk;
  }
}

/** The error for a source without a single record. */
export function emptySource(file: string, hasHeader: boolean) {
  return badSource({
    code: "empty_source",
    problem: `${file} holds no records`,
    expected: "a line of column names and at least one record",
    found: hasHeader ? "the line of column names alone" : "an empty file",
    remedy: "fetch or copy the file again",
  });
}
