import type { DatasetName } from "@boxoffice/contracts/dataset";
import type { JobContext } from "@boxoffice/platform/jobs";

/** A dataset's file as its source has it. */
export interface SourceFile {
  name: string;
  /** Undefined when the source does not say. */
  bytes: number | undefined;
  /** The file's bytes, to be read once. */
  content: AsyncIterable<Uint8Array>;
}

/** What tells one state of a source from another. */
export interface Fingerprint {
  /** Changes when the content changes. */
  content: string;
  /** Cheaper to look at; while it is the same, so is the content. */
  quick: string;
}

/** Where datasets come from. */
export interface Source {
  open(dataset: DatasetName, context: JobContext): Promise<SourceFile>;
  /** Undefined while the source is being written. */
  fingerprint(
    dataset: DatasetName,
    last: Fingerprint | undefined,
    signal: AbortSignal,
  ): Promise<Fingerprint | undefined>;
}
