import { EventEmitter, once } from "node:events";
import type { DatasetName } from "@boxoffice/contracts/dataset";
import { lakeKeys, parseGroupKey } from "@boxoffice/contracts/lakeKeys";
import type { ObjectStore } from "@boxoffice/platform/objectStore";
import { ServiceError } from "@boxoffice/platform/serviceError";
import type { Logger } from "pino";
import { type EncodeGroup, groupParquet } from "./groupParquet.ts";
import type { Slice } from "./openGroups.ts";

/** Every group object of a load in the lake: number and rows, as the keys state them. */
export async function listGroups(lake: ObjectStore, dataset: DatasetName, loadId: string) {
  const groups: { group: number; rows: number }[] = [];
  for await (const { key } of lake.list(`${lakeKeys.bronze(dataset, loadId)}/`)) {
    const group = parseGroupKey(key);
    if (group) groups.push(group);
  }
  return groups;
}

/** Writes groups and dead letters to the lake, each once, and tells who waits for a load. */
export class Bronze {
  readonly #lake: ObjectStore;
  readonly #log: Logger;
  readonly #encode: EncodeGroup;
  /** The groups that are in the lake, by load. They never leave it, so the list is read once. */
  readonly #written = new Map<string, Promise<Set<number>>>();
  /** By load, then by group: one group that was written says nothing of another. */
  readonly #failures = new Map<string, Map<number, Error>>();
  /** By load, why the lake did not take the last object of it that was written. */
  readonly #refusals = new Map<string, ServiceError>();
  #lastRefusal: ServiceError | undefined;
  readonly #arrivals = new EventEmitter().setMaxListeners(0);

  constructor(lake: ObjectStore, log: Logger, encode: EncodeGroup = groupParquet) {
    this.#lake = lake;
    this.#log = log;
    this.#encode = encode;
  }

  /** Whether the lake has the slice's group. */
  async has(slice: Slice): Promise<boolean> {
    return (await this.#groupsOf(slice)).has(slice.group);
  }

  /** Writes the slices of a complete group as one object, unless it is there. */
  async writeGroup(slices: readonly [Slice, ...Slice[]]): Promise<void> {
    const [{ dataset, load_id, group }] = slices;
    const { rows, parquet } = await this.#encode(slices);
    const created = await this.#create(slices[0], lakeKeys.group(dataset, load_id, group, rows), parquet);
    (await this.#groupsOf(slices[0])).add(group);
    this.#failures.get(lakeKeys.bronze(dataset, load_id))?.delete(group);
    this.#log.info({ dataset, load_id, group, rows, bytes: parquet.length, created }, "group in bronze");
  }

  /** Writes a slice of dead letters as one object, unless it is there. */
  async writeDeadLetters(letters: Slice): Promise<void> {
    const { dataset, load_id, slice, rows, value } = letters;
    const created = await this.#create(letters, lakeKeys.deadLetterSlice(dataset, load_id, slice), value);
    this.#log.info({ dataset, load_id, slice, rows, created }, "dead letters in the lake");
  }

  /** Tells those who wait for a load that something of it came. */
  arrived({ dataset, load_id }: Pick<Slice, "dataset" | "load_id">): void {
    this.#arrivals.emit(lakeKeys.bronze(dataset, load_id));
  }

  /** Resolves true when something of the load comes, false after the given time. */
  async nextArrival(dataset: DatasetName, loadId: string, milliseconds: number, signal: AbortSignal): Promise<boolean> {
    const timeout = AbortSignal.timeout(milliseconds);
    try {
      await once(this.#arrivals, lakeKeys.bronze(dataset, loadId), { signal: AbortSignal.any([signal, timeout]) });
      return true;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (timeout.aborted) return false;
      throw error;
    }
  }

  /** Remembers why a load's group cannot be written; its seal says so at once. */
  fail(slice: Slice, error: Error): void {
    const { dataset, load_id, group } = slice;
    const prefix = lakeKeys.bronze(dataset, load_id);
    this.#failures.set(prefix, (this.#failures.get(prefix) ?? new Map<number, Error>()).set(group, error));
    this.#log.error({ dataset, load_id, group, reason: error.message }, "group dropped");
  }

  /** Forgets why a group could not be written: its slices come again. */
  retry({ dataset, load_id, group }: Slice): void {
    this.#failures.get(lakeKeys.bronze(dataset, load_id))?.delete(group);
  }

  /** Why a group of the load cannot be written, or undefined when none has failed. */
  failure(dataset: DatasetName, loadId: string): Error | undefined {
    const [error] = this.#failures.get(lakeKeys.bronze(dataset, loadId))?.values() ?? [];
    return error;
  }

  /** Why the lake does not take what there is of a load, or undefined when it took what came last. */
  refusal(dataset: DatasetName, loadId: string): ServiceError | undefined {
    return this.#refusals.get(lakeKeys.bronze(dataset, loadId));
  }

  /** Why the lake did not take what came last of any load, or undefined when it did. */
  get lastRefusal(): ServiceError | undefined {
    return this.#lastRefusal;
  }

  async #create({ dataset, load_id }: Slice, key: string, content: Uint8Array): Promise<boolean> {
    const prefix = lakeKeys.bronze(dataset, load_id);
    try {
      const created = await this.#lake.create(key, content);
      this.#refusals.delete(prefix);
      this.#lastRefusal = undefined;
      return created;
    } catch (error) {
      this.#lastRefusal = ServiceError.from(error);
      this.#refusals.set(prefix, this.#lastRefusal);
      throw error;
    }
  }

  #groupsOf({ dataset, load_id }: Slice): Promise<Set<number>> {
    const prefix = lakeKeys.bronze(dataset, load_id);
    const known = this.#written.get(prefix);
    if (known) return known;
    const listed = listGroups(this.#lake, dataset, load_id).then((groups) => new Set(groups.map(({ group }) => group)));
    this.#written.set(prefix, listed);
    listed.catch(() => this.#written.delete(prefix));
    return listed;
  }
}
