import type { ServiceError } from "@boxoffice/platform/serviceError";
import { badSource } from "./badSource.ts";

const carriageReturn = 0x0d;

/** The error for a record whose beginning, as long as a record may be, has no LF. */
export function missingLineEnd(file: string, line: number, beginning: Buffer): ServiceError {
  const first = beginning.indexOf(carriageReturn);
  // The last one may be of a CRLF.
  if (first !== -1 && first < beginning.length - 1)
    return carriageReturns(file, line, `more than ${beginning.length} bytes with CR alone and no LF`);
  return badSource({
    code: "missing_line_end",
    problem: `${file}, line ${line}: no line end comes in this record`,
    expected: lineEnds,
    found: `a record of more than ${beginning.length} bytes without a line end`,
    remedy: `look at line ${line}: it lost its line ends, or is no CSV; fetch or copy the file again`,
  });
}

/** The error for lines that end in CR alone. */
export function carriageReturns(file: string, line: number, found: string): ServiceError {
  return badSource({
    code: "missing_line_end",
    problem: `${file}, line ${line}: its lines seem to end in CR alone`,
    expected: lineEnds,
    found,
    remedy: "save it again with LF or CRLF as line ends",
  });
}

const lineEnds = "records that end in LF or CRLF";
