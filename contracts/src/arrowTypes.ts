import { type DataType, DateDay, Float64, Int32, Int64, Utf8 } from "apache-arrow";
import type { CellKind } from "./cell.ts";

/** The type that a kind of cell has in slices and in bronze. */
export const arrowTypes: Readonly<Record<CellKind, DataType>> = {
  id: new Int32(),
  number: new Float64(),
  epoch_seconds: new Int64(),
  date: new DateDay(),
  genre_list: new Utf8(),
  text: new Utf8(),
};
