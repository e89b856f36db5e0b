import { z } from "zod";

/** Of a load, as it stands in keys of the lake: the bytes, the contract's version, and the run that forced it, if one did. */
export const loadId = z
  .string()
  .regex(
    /^[0-9a-f]{16}-v\d{1,9}(-[0-9a-f]{8})?$/,
    "a load id is 16 hex digits, -v and a number, and for a forced load - and 8 hex digits",
  );

/** What a load's id says of its bytes and its contract, without the run that forced it: the same for every load of them. */
export function sourceOf(load: string): string {
  return load.replace(/^([0-9a-f]{16}-v\d{1,9})-[0-9a-f]{8}$/, "$1");
}
