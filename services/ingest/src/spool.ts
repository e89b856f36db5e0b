import { type FileHandle, open } from "node:fs/promises";
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

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Begins a spool in a new file; fails when there is one. Whoever creates it closes it and removes the file. */
  static async create(path: string): Promise<Spool> {
    return new Spool(await open(path, "wx+"));
  }

  async add({ value, ...message }: SliceMessage): Promise<void> {
    await this.#file.write(value, 0, value.length, this.#end);
    this.#messages.push({ ...message, position: this.#end, length: value.length });
    this.#end += value.length;
  }

  /** The messages in the order they were added. */
  async *messages(): AsyncGenerator<SliceMessage> {
    for (const { position, length, ...message } of this.#messages) {
      const value = Buffer.alloc(length);
      await this.#file.read(value, 0, length, position);
      yield { ...message, value };
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
