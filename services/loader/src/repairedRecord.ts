import { csvDialect } from "@boxoffice/contracts/csvDialect";
import type { DatasetContract } from "@boxoffice/contracts/dataset";
import type { DecisionRequest } from "@boxoffice/contracts/deadLetterDecision";
import { type CellValue, contractColumns, recordReader } from "@boxoffice/contracts/recordReader";
import { HttpError } from "@boxoffice/platform/httpError";
import { CsvError, parse } from "csv-parse/sync";

/** What a repair begins with: the source's column names, and the raw text of the record's fragments in their order. */
export interface BrokenRecord {
  contract: DatasetContract;
  header: readonly string[];
  fragments: readonly string[];
}

/** A record by column of its contract, as bronze has it. */
export type RecordByColumn = Record<string, CellValue>;

/**
 * The record that a repair makes of what was broken, judged by the contract that refused it. Throws what still breaks
 * it, and what else could be tried.
 */
export function repairedRecord(
  broken: BrokenRecord,
  { record, set = {} }: Pick<DecisionRequest, "record" | "set">,
): RecordByColumn {
  const { contract, header, fragments } = broken;
  const cells = record === undefined ? joined(fragments.map(onlyRecord)) : recordGiven(record, header);
  if (cells.length !== header.length) throw wrongNumberOfCells(broken, record !== undefined, cells.length);
  for (const [name, value] of Object.entries(set)) cells[columnAt(contract, header, name)] = value;
  const result = recordReader(contract, header)(cells);
  if ("rejection" in result) {
    const { rule, column, reason } = result.rejection;
    throw refused(
      `the record still breaks its contract (${rule})`,
      `a value of ${column ?? "each column"} that the contract takes`,
      reason,
      "give the cell another value with --set, or leave it empty where it is no key; nothing was changed",
    );
  }
  return Object.fromEntries(contractColumns(contract).map(({ name }, at) => [name, result.values[at] ?? null]));
}

/** The cells of a raw record by column of the source; undefined when it has not as many. */
export function cellsByColumn(raw: string, header: readonly string[]): Record<string, string> | undefined {
  const cells = onlyRecord(raw);
  if (cells.length !== header.length) return undefined;
  return Object.fromEntries(header.map((name, at) => [name, cells[at] ?? ""]));
}

/**
 * The cells of a record that stray line breaks split: each break is inside the cell where one fragment ends and the
 * next begins. Where one of the two is empty nothing is left of the break.
 */
function joined(fragments: readonly string[][]): string[] {
  return fragments.reduce((before, after) => {
    const [first = "", ...others] = after;
    const last = before.at(-1) ?? "";
    return [...before.slice(0, -1), last && first ? `${last}\n${first}` : last + first, ...others];
  });
}

function onlyRecord(raw: string): string[] {
  return records(raw)[0] ?? [];
}

function records(text: string): string[][] {
  return parse(text, { ...csvDialect, bom: true });
}

function recordGiven(text: string, header: readonly string[]): string[] {
  const found = recordsGiven(text);
  const isHeader = (cells: readonly string[] | undefined) => cells?.join("\0") === header.join("\0");
  const [record, ...others] = isHeader(found[0]) ? found.slice(1) : found;
  if (record && others.length === 0) return record;
  throw refused(
    "the corrected text is not one record",
    "one record as CSV, with or without the line of column names before it",
    `${record ? others.length + 1 : 0} records`,
    "put a cell that holds a line break into double quotes",
  );
}

function recordsGiven(text: string): string[][] {
  try {
    return records(text);
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw refused(
      "the corrected text cannot be read as CSV",
      'cells that begin with " end with " before the next comma or line end; a quote inside is ""',
      cause.message,
      "close the quote",
    );
  }
}

function wrongNumberOfCells({ header, fragments }: BrokenRecord, isGiven: boolean, found: number): HttpError {
  const remedy = isGiven
    ? `the columns are: ${header.join(",")}`
    : fragments.length > 1
      ? "these are not all the fragments of one record: name them all, or give the whole record with --file"
      : "single cells cannot be set then: merge it with the other fragments of its record (--merge ID2), " +
        "or give the whole record (--file PATH)";
  return refused(
    "the record still breaks its contract (wrong_number_of_cells)",
    `${header.length} cells`,
    `${found} cells`,
    remedy,
  );
}

/** Where a column is, by its name in the source or in the contract. */
function columnAt(contract: DatasetContract, header: readonly string[], name: string): number {
  const known = contractColumns(contract).find((column) => column.name === name)?.headers ?? [];
  const at = header.findIndex((title) => title === name || known.includes(title));
  if (at >= 0) return at;
  throw refused(`there is no column ${name}`, `one of ${header.join(", ")}`, name, "correct the name");
}

function refused(problem: string, expected: string, found: string, remedy: string): HttpError {
  return new HttpError(
    400,
    "not_repaired",
    `${problem}\n  expected: ${expected}\n  found:    ${found}\n  to do:    ${remedy}`,
  );
}
