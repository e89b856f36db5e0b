import { Field, Int32, Schema } from "apache-arrow";
import { arrowTypes } from "./arrowTypes.ts";
import type { DatasetContract } from "./dataset.ts";
import { contractColumns } from "./recordReader.ts";

/** The column that numbers a source's records, from 1. */
export const rowNumber = "row_number";

/** The columns of a dataset's slices and of its bronze: the number of the source record, then those of its contract. */
export function bronzeSchema(contract: DatasetContract): Schema {
  return new Schema([
    new Field(rowNumber, new Int32(), false),
    ...contractColumns(contract).map(({ name, kind }) => new Field(name, arrowTypes[kind], true)),
  ]);
}
