import { InvalidArgumentError } from "commander";

/** The value of an option that counts. */
export function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError("expected a whole number above 0");
}
