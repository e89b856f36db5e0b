import { ServiceError } from "@boxoffice/platform/serviceError";
import { groupParquet } from "./groupParquet.ts";
import type { Slice } from "./openGroups.ts";
import type { Outcome } from "./parquetThread.ts";

/** What `ParquetThread` has its thread do. Any other error than a refusal passes as it is: the slices may come again. */
export default function encode(slices: readonly Slice[]): Outcome {
  try {
    return { file: groupParquet(slices) };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { refused: { code: error.code, message: error.message } };
  }
}
