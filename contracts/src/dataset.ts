import { z } from "zod";
import { cpiRecord } from "./cpi.ts";
import { linkRecord } from "./links.ts";
import { movieRecord } from "./movies.ts";
import { ratingRecord } from "./ratings.ts";

export const datasetName = z.enum(["movies", "links", "ratings", "cpi"]);
export type DatasetName = z.infer<typeof datasetName>;
export const datasetNames = datasetName.options;

/** What a source of a dataset is called, what its records must be, and how it is cut. */
export interface DatasetContract {
  /** Counts up when the rules or the cutting into slices change: the same bytes are then a new load. */
  version: number;
  record: z.ZodObject;
  /** File names in an edition, the preferred one first; each may have one of the endings in `packings`. */
  files: readonly string[];
  /** Source records in a slice (one Kafka message). */
  sliceRecords: number;
}

/** What may follow the name of a file in an edition: it is plain or packed. */
export const packings = ["", ".gz", ".zip"] as const;

/** Consecutive slices in a group (one Parquet object of bronze). */
export const groupSlices = 16;

export const datasets: Readonly<Record<DatasetName, DatasetContract>> = {
  movies: { version: 2, record: movieRecord, files: ["movies_metadata.csv"], sliceRecords: 1024 },
  links: { version: 2, record: linkRecord, files: ["links.csv", "links_small.csv"], sliceRecords: 16_384 },
  ratings: { version: 2, record: ratingRecord, files: ["ratings.csv", "ratings_small.csv"], sliceRecords: 16_384 },
  cpi: { version: 1, record: cpiRecord, files: ["CPIAUCSL.csv"], sliceRecords: 16_384 },
};
