import { isUtf8 } from "node:buffer";
import { csvDialect } from "@boxoffice/contracts/csvDialect";
import { CsvError, parse } from "csv-parse";
import { badSource } from "./badSource.ts";
import { missingLineEnd } from "./lineEnds.ts";

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

export interface CsvOptions {
  /** The line of the file that the text begins with. */
  line?: number;
  /** A record of more bytes, its line end among them, is refused. */
  largest?: number;
}

/** Longer records are taken for lines that do not end, or a quote that is never closed. */
export const largestRecord = 1 << 20;
/** More than the parser waits for before it says that a record has ended. */
const lookAheadBytes = 16;
const newline = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = Buffer.from("\uFEFF");

/**
 * The records of a CSV from a line on, the header first, one batch per chunk of text. LF and CRLF end a record, empty
 * lines are none, a byte order mark is dropped, and a stray quote is text. Fails on the first record that is not UTF-8,
 * too long, or in a quote that is never closed.
 */
export async function* csvRecords(
  file: string,
  text: AsyncIterable<Buffer>,
  { line = 1, largest = largestRecord }: CsvOptions = {},
): AsyncGenerator<CsvBatch> {
  let records: CsvRecord[] = [];
  let end = 0;
  const recent = new RecentText(file, line, largest);
  const parser = parse({
    bom: line === 1,
    ...csvDialect,
    // A record that went on as a stream's object would cost as much again as reading it.
    on_record: (cells: string[], { bytes }) => {
      recent.refuseTooLong(end, bytes);
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
      recent.checkBefore(end);
      if (records.length > 0) yield batch();
      recent.dropBefore(end);
      recent.refuseEndless();
      records = [];
    }
    recent.checkAll();
    await finished((done) => parser.end(done));
    if (records.length > 0) yield batch();
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw unclosedQuote(file, recent.lineOfRecord(end), "the end of the file inside the quotes", error);
  } finally {
    parser.destroy();
  }
}

function unclosedQuote(file: string, line: number, found: string, cause?: CsvError) {
  return badSource(
    {
      code: "unclosed_quote",
      problem: `${file}, line ${line}: a quote (") is opened in this record and not closed`,
      expected: 'every cell that begins with " ends with " before the next comma or line end; a quote inside is ""',
      found,
      remedy: `close the quote in the record that begins on line ${line}`,
    },
    cause,
  );
}

/** The text from the last record on, so that a rejected record can be shown as it came. */
class RecentText {
  readonly #file: string;
  readonly #hasMark: boolean;
  readonly #largest: number;
  #bytes: Buffer = Buffer.alloc(0);
  /** Where #bytes begins in the text. */
  #start = 0;
  /** Line ends before #marked are counted. */
  #marked = 0;
  #line: number;
  /** Bytes of #bytes that are known to be UTF-8. */
  #checked = 0;

  constructor(file: string, line: number, largest: number) {
    this.#file = file;
    this.#line = line;
    this.#hasMark = line === 1;
    this.#largest = largest;
  }

  append(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** Refuses what is not UTF-8 before a record's beginning: there no character is cut. */
  checkBefore(position: number): void {
    this.#check(position - this.#start);
  }

  checkAll(): void {
    this.#check(this.#bytes.length);
  }

  /** Refuses a record that has ended, when it is too long. */
  refuseTooLong(start: number, end: number): void {
    if (end - start > this.#largest && end - this.#afterEmptyLines(start) > this.#largest) this.#refuse(start);
  }

  /** Refuses the record that all of the text is of, when it is too long whether it ends or not. */
  refuseEndless(): void {
    if (this.#bytes.length > this.#largest + lookAheadBytes) this.#refuse(this.#start);
  }

  /** In the order of the text: another record before this one may be refused for another reason. */
  #refuse(start: number): never {
    this.checkBefore(start);
    const from = this.#afterEmptyLines(start);
    const line = this.lineAt(from);
    const beginning = this.#bytes.subarray(from - this.#start, from - this.#start + this.#largest);
    if (!beginning.includes(newline)) throw missingLineEnd(this.#file, line, beginning);
    throw unclosedQuote(this.#file, line, `a record of more than ${this.#largest} bytes`);
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
    let at = Math.max(0, start - this.#start);
    if (this.#hasMark && this.#start + at === 0 && this.#bytes.subarray(0, 3).equals(byteOrderMark)) at = 3;
    const isNewline = (index: number) => this.#bytes[index] === newline;
    while (isNewline(at) || (this.#bytes[at] === carriageReturn && isNewline(at + 1))) at++;
    return this.#start + at;
  }

  /** Forgets the text before a record, and the empty lines there, however many come. */
  dropBefore(record: number): void {
    const position = this.#afterEmptyLines(record);
    this.lineAt(position);
    this.#marked = Math.max(this.#marked, position);
    this.#bytes = this.#bytes.subarray(position - this.#start);
    this.#checked = Math.max(0, this.#checked - (position - this.#start));
    this.#start = position;
  }
}
