import { isUtf8 } from "node:buffer";
import { csvDialect } from "@boxoffice/contracts/csvDialect";
import { CsvError, parse } from "csv-parse";
import { badSource } from "./badSource.ts";

/** One record of a CSV; the place is where its bytes are in the text. */
export interface CsvRecord {
  cells: string[];
  start: number;
  end: number;
}

/** The records that a chunk of text completes. */
export interface CsvBatch {
  records: CsvRecord[];
  /** A record's first line (1 = the header's) and raw text; ask in the order of the records. */
  origin: (record: CsvRecord) => { line: number; raw: string };
}

/** Longer records are taken for a quote that is never closed. */
export const largestRecord = 1 << 20;
const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * The records of a CSV from a line on, the header first, one batch per chunk of text. LF and CRLF end a record, empty lines are none,
 * a byte order mark is dropped, and a stray quote is text. Fails on text that is not UTF-8 and on a quote that is
 * never closed.
 */
export async function* csvRecords(file: string, text: AsyncIterable<Buffer>, line = 1): AsyncGenerator<CsvBatch> {
  let records: CsvRecord[] = [];
  let end = 0;
  const recent = new RecentText(file, line);
  const parser = parse({
    bom: line === 1,
    ...csvDialect,
    max_record_size: largestRecord,
    // A record that went on as a stream's object would cost as much again as reading it.
    on_record: (cells: string[], { bytes }) => {
      records.push({ cells, start: end, end: bytes });
      end = bytes;
      return null;
    },
  });
  parser.resume();
  // The callbacks below get every error; without a listener the event would end the process.
  parser.on("error", () => {});
  const finished = (action: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => {
      action((error) => (error ? reject(error) : resolve()));
    });
  const batch = (): CsvBatch => ({ records, origin: (record) => recent.origin(record.start, record.end) });

  try {
    for await (const chunk of text) {
      recent.append(chunk);
      await finished((done) => parser.write(chunk, done));
      if (records.length > 0) yield batch();
      recent.dropBefore(end);
      records = [];
    }
    recent.end();
    await finished((done) => parser.end(done));
    if (records.length > 0) yield batch();
  } catch (error) {
    throw error instanceof CsvError ? unclosedQuote(file, recent.lineOfRecord(end), error) : error;
  } finally {
    parser.destroy();
  }
}

function unclosedQuote(file: string, line: number, cause: CsvError) {
  const isTooLong = cause.code === "CSV_MAX_RECORD_SIZE";
  return badSource(
    {
      code: "unclosed_quote",
      problem: `${file}, line ${line}: a quote (") is opened in this record and not closed`,
      expected: 'every cell that begins with " ends with " before the next comma or line end; a quote inside is ""',
      found: isTooLong ? `a record of more than ${largestRecord} characters` : "the end of the file inside the quotes",
      remedy: `close the quote in the record that begins on line ${line}`,
    },
    cause,
  );
}

/** The text from the last record on, so that a rejected record can be shown as it came. */
class RecentText {
  readonly #file: string;
  #bytes: Buffer = Buffer.alloc(0);
  /** Where #bytes begins in the text. */
  #start = 0;
  /** Line ends before #marked are counted. */
  #marked = 0;
  #line: number;
  /** Bytes of #bytes that are known to be UTF-8. */
  #checked = 0;

  constructor(file: string, line: number) {
    this.#file = file;
    this.#line = line;
  }

  append(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    // A line end is never inside a character, so whole lines can be checked by themselves.
    this.#check(this.#bytes.lastIndexOf(newline) + 1);
  }

  end(): void {
    this.#check(this.#bytes.length);
  }

  #check(to: number): void {
    if (to <= this.#checked) return;
    if (!isUtf8(this.#bytes.subarray(this.#checked, to))) {
      let from = this.#checked;
      for (let next = from; next < to && isUtf8(this.#bytes.subarray(from, next)); ) {
        from = next;
        next = this.#bytes.indexOf(newline, from) + 1 || to;
      }
      throw this.#notUtf8(this.#start + from);
    }
    this.#checked = to;
  }

  #notUtf8(position: number) {
    const line = this.lineAt(position);
    return badSource({
      code: "not_utf8",
      problem: `${this.#file}, line ${line}: the text is not UTF-8`,
      expected: "UTF-8, with or without a byte order mark",
      found: "bytes of another encoding, such as Windows-1252 or UTF-16",
      remedy: 'save it again as "CSV UTF-8"',
    });
  }

  lineAt(position: number): number {
    for (;;) {
      const at = this.#bytes.indexOf(newline, this.#marked - this.#start);
      if (at === -1 || this.#start + at >= position) break;
      this.#line++;
      this.#marked = this.#start + at + 1;
    }
    return this.#line;
  }

  origin(start: number, end: number): { line: number; raw: string } {
    const from = this.#afterEmptyLines(start);
    const raw = this.#bytes.toString("utf8", from - this.#start, end - this.#start).replace(/\r?\n$/, "");
    return { line: this.lineAt(from), raw };
  }

  /** The line of the record that begins at a position or after the empty lines there. */
  lineOfRecord(start: number): number {
    return this.lineAt(this.#afterEmptyLines(start));
  }

  #afterEmptyLines(start: number): number {
    let at = start - this.#start;
    const isNewline = (index: number) => this.#bytes[index] === newline;
    while (isNewline(at) || (this.#bytes[at] === carriageReturn && isNewline(at + 1))) at++;
    return this.#start + at;
  }

  dropBefore(position: number): void {
    this.lineAt(position);
    this.#marked = Math.max(this.#marked, position);
    this.#bytes = this.#bytes.subarray(position - this.#start);
    this.#checked = Math.max(0, this.#checked - (position - this.#start));
    this.#start = position;
  }
}
