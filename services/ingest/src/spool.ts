import { type FileHandle, open } from "node:fs/promises";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type { SliceMessage } from "./sliceEncoder.ts";

type Spooled = Omit<SliceMessage, "value"> & { position: number; length: number };

/**
 * Messages kept in a local file until the whole source is known to be good. Without it the first slices of a bad
 * source would be on the topics, in groups that nobody ever completes.
 */
export class Spool {
  readonly #file: FileHandle;
  readonly #messages: Spooled[] = [];
  #end = 0;
  /** The last message on its way to the file. */
  #written: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** A spool in a new file, which stays when the spool is closed. */
  static async create(path: string): Promise<Spool> {
    return new Spool(await open(path, "wx+"));
  }

  /**
   * Keeps a message behind those there are. Answers when the one before it is in the file, so that the next can be made
   * while this one is written; its value must stay as it is. What cannot be written is thrown by the next call.
   */
  async add({ value, ...message }: SliceMessage): Promise<void> {
    await this.#written;
    // Unlike `write`, which may write less than all; both go on where the last one ended.
    this.#written = this.#file.writeFile(value);
    // Who calls next hears of its failure; until then it is none that nobody handles.
    this.#written.catch(() => {});
    this.#messages.push({ ...message, position: this.#end, length: value.length });
    this.#end += value.length;
  }

  /** The messages in the order they were added. */
  async *messages(): AsyncGenerator<SliceMessage> {
    await this.#written;
    for (const { position, length, ...message } of this.#messages) {
      const value = Buffer.allocUnsafe(length);
      await this.#fill(value, position);
      yield { ...message, value };
    }
  }

  async #fill(value: Buffer, position: number): Promise<void> {
    for (let filled = 0; filled < value.length; ) {
      const { bytesRead } = await this.#file.read(value, filled, value.length - filled, position + filled);
      if (bytesRead === 0) throw cutShort(position + value.length, position + filled);
      filled += bytesRead;
    }
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#written.catch(() => {});
    await this.#file.close();
  }
}

function cutShort(expected: number, found: number): ServiceError {
  return new ServiceError(
    "spool_cut_short",
    `the load's temporary file in WORK_DIR was cut short by something else: expected ${expected} bytes, found ${found}. ` +
      "Run again: what was published of it is only repeated",
    { retryable: true },
  );
}
