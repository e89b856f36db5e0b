import { isUtf8 } from "node:buffer";
import { type DatasetName, datasets } from "@boxoffice/contracts/dataset";
import { type ReadResult, recordReader } from "@boxoffice/contracts/recordReader";
import { badSource } from "./badSource.ts";
import { csvRecords, largestRecord } from "./csvRecords.ts";
import { checkBeginning, checkHeader } from "./header.ts";
import { PlainNumbers } from "./plainNumbers.ts";
import { type Slice, SliceCutter } from "./sliceCutter.ts";
import { SourceText } from "./sourceText.ts";

/** A source to cut: of which load, by which name its dead letters call it, and its unpacked text. */
export interface SlicedFile {
  dataset: DatasetName;
  loadId: string;
  file: string;
  text: AsyncIterable<Buffer>;
  /** Told the column names, before the first slice. */
  onHeader?: (header: readonly string[]) => void;
  /** A record of more bytes is refused. */
  largest?: number;
}

type ReadRecord = (cells: readonly string[]) => ReadResult;

const newline = 0x0a;
const quote = 0x22;
/** By so much of a text it is known what it is. */
const beginningBytes = 1024;

/** Cuts a source's text into slices; what they hold depends on the text alone. At least one, or an error. */
export async function* slices(source: SlicedFile): AsyncGenerator<Slice> {
  const cutter = new SliceCutter(source);
  const text = new SourceText(refusingOtherFormats(source.file, source.text));
  const { largest = largestRecord } = source;
  const header = await unquotedHeader(text, largest);
  const plain = header && PlainNumbers.forHeader(datasets[source.dataset], header);
  const read = plain && recordReader(datasets[source.dataset], header);
  if (header && read) source.onHeader?.(header);
  if (plain && read) yield* unquotedLines(text, plain, read, cutter, largest);
  const hasHeader = yield* csvLines(source, text, read, cutter);
  const last = cutter.last();
  if (!last) throw emptySource(source.file, hasHeader);
  yield last;
}

/** The column names when the first line holds them without quotes; it is taken only then. */
async function unquotedHeader(text: SourceText, largest: number): Promise<string[] | undefined> {
  while (!text.bytes.includes(newline) && text.bytes.length < largest && (await text.more()));
  const end = text.bytes.indexOf(newline) + 1;
  const line = text.bytes.toString("utf8", 0, end).replace(/^\uFEFF/, "");
  if (line.trim() === "" || line.includes('"')) return undefined;
  return line.replace(/\r?\n$/, "").split(",");
}

/**
 * Reads lines up to the first quote: without quotes each line is a record, and of plain numbers it is read from its
 * bytes. What is left is for the CSV parser, which refuses a line that does not end.
 */
async function* unquotedLines(
  text: SourceText,
  plain: PlainNumbers,
  read: ReadRecord,
  cutter: SliceCutter,
  largest: number,
): AsyncGenerator<Slice> {
  text.take(text.bytes.indexOf(newline) + 1, 1);
  do {
    const end = text.bytes.lastIndexOf(newline) + 1;
    let at = 0;
    let lines = 0;
    while (at < end) {
      let isFull = false;
      lines += cutter.fill((rows, room, first) => {
        const before = rows.length;
        at = plain.read(rows, text.bytes, at, end, room, first);
        isFull = rows.length - before === room;
      });
      yield* cutter.whole();
      if (isFull || at === end) continue;
      const lineEnd = text.bytes.indexOf(newline, at) + 1;
      const line = text.bytes.subarray(at, lineEnd);
      if (line.includes(quote) || line.length > largest || !isUtf8(line)) {
        text.take(at, lines);
        return;
      }
      const raw = line.toString().replace(/\r?\n$/, "");
      const lineNumber = text.line + lines;
      if (raw !== "") cutter.take(read(raw.split(",")), () => ({ line: lineNumber, raw }));
      lines++;
      at = lineEnd;
    }
    text.take(end, lines);
  } while (text.bytes.length <= largest && (await text.more()));
}

/** Reads what is left as CSV, its header too unless it was `read` already; answers whether there is a header. */
async function* csvLines(
  { dataset, file, onHeader, largest = largestRecord }: SlicedFile,
  text: SourceText,
  known: ReadRecord | undefined,
  cutter: SliceCutter,
): AsyncGenerator<Slice, boolean> {
  let read = known;
  for await (const batch of csvRecords(file, text.rest(), { line: text.line, largest })) {
    for (const record of batch.records) {
      if (read) {
        cutter.take(read(record.cells), () => batch.origin(record));
      } else {
        checkHeader(dataset, file, record.cells);
        onHeader?.(record.cells);
        read = recordReader(datasets[dataset], record.cells);
      }
    }
    yield* cutter.whole();
  }
  return read !== undefined;
}

async function* refusingOtherFormats(file: string, text: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let beginning: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of text) {
    if (beginning) beginning = Buffer.concat([beginning, chunk]);
    if (beginning && beginning.length < beginningBytes) continue;
    if (beginning) checkBeginning(file, beginning.subarray(0, beginningBytes));
    yield beginning ?? chunk;
    beginning = undefined;
  }
  if (!beginning || beginning.length === 0) return;
  checkBeginning(file, beginning);
  yield beginning;
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
