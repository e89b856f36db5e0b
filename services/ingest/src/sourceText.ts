/** A source's text as it is read: some of it here, the rest to come. */
export class SourceText {
  readonly #chunks: AsyncIterator<Buffer>;
  #bytes: Buffer = Buffer.alloc(0);
  /** The line of the source, from 1, that `bytes` begins with. */
  line = 1;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** What was read and not taken. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Reads on; false at the end. */
  async more(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done) return false;
    this.#bytes = this.#bytes.length === 0 ? value : Buffer.concat([this.#bytes, value]);
    return true;
  }

  /** Takes whole lines from the beginning. */
  take(bytes: number, lines: number): void {
    this.#bytes = this.#bytes.subarray(bytes);
    this.line += lines;
  }

  /** All that was not taken, to the end. */
  async *rest(): AsyncGenerator<Buffer> {
    if (this.#bytes.length > 0) yield this.#bytes;
    this.#bytes = Buffer.alloc(0);
    for (let next = await this.#chunks.next(); !next.done; next = await this.#chunks.next()) yield next.value;
  }
}
