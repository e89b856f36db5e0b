import { groupSlices } from "@boxoffice/contracts/dataset";
import type { SliceHeaders } from "@boxoffice/contracts/slice";

/** A slice as it lies on its partition. */
export interface Slice extends SliceHeaders {
  offset: bigint;
  /** When it was produced, milliseconds since 1970. */
  timestamp: number;
  value: Uint8Array;
}

/** A group that is not in the lake yet. */
export interface OpenGroup {
  dataset: SliceHeaders["dataset"];
  load_id: string;
  group: number;
  firstOffset: bigint;
  lastTimestamp: number;
  /** By slice number. The same slice again replaces the one there is. */
  slices: Map<number, Slice>;
}

const keyOf = ({ dataset, load_id, group }: Pick<SliceHeaders, "dataset" | "load_id" | "group">) =>
  `${dataset}/${load_id}/${group}`;

/**
 * The groups of one partition that are not in the lake yet. Their slices are held in memory only,
 * so nothing behind the first of them may be committed.
 */
export class OpenGroups {
  readonly #groups = new Map<string, OpenGroup>();
  readonly #abandonedAfterMilliseconds: number;

  constructor(abandonedAfterMilliseconds: number) {
    this.#abandonedAfterMilliseconds = abandonedAfterMilliseconds;
  }

  /** Adds a slice; returns its group's slices in order when none is missing. The group stays open until it is closed. */
  add(slice: Slice): Slice[] | undefined {
    const key = keyOf(slice);
    const { dataset, load_id, group, offset, timestamp } = slice;
    const open = this.#groups.get(key) ?? {
      dataset,
      load_id,
      group,
      firstOffset: offset,
      lastTimestamp: timestamp,
      slices: new Map<number, Slice>(),
    };
    this.#groups.set(key, open);
    open.lastTimestamp = Math.max(open.lastTimestamp, timestamp);
    open.slices.set(slice.slice, slice);
    return completeSlices(open);
  }

  /** Forgets a group: it is in the lake, or will never be. */
  close(group: Pick<SliceHeaders, "dataset" | "load_id" | "group">): void {
    this.#groups.delete(keyOf(group));
  }

  /**
   * Drops and returns the groups of other loads of the slice's dataset whose last slice was produced
   * long before this one. Time is the records' own, so that a replay decides the same.
   */
  dropAbandoned(newer: Slice): OpenGroup[] {
    const abandoned = [...this.#groups.values()].filter(
      (open) =>
        open.dataset === newer.dataset &&
        open.load_id !== newer.load_id &&
        newer.timestamp - open.lastTimestamp >= this.#abandonedAfterMilliseconds,
    );
    for (const open of abandoned) this.close(open);
    return abandoned;
  }

  /** The offset of the first slice that only memory holds. */
  firstOffset(): bigint | undefined {
    let first: bigint | undefined;
    for (const { firstOffset } of this.#groups.values()) {
      if (first === undefined || firstOffset < first) first = firstOffset;
    }
    return first;
  }
}

function completeSlices({ group, slices }: OpenGroup): Slice[] | undefined {
  const from = group * groupSlices;
  const complete: Slice[] = [];
  for (let number = from; number < from + groupSlices; number += 1) {
    const slice = slices.get(number);
    if (!slice) return undefined;
    complete.push(slice);
    if (slice.last) break;
  }
  return complete;
}
