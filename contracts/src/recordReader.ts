import type { z } from "zod";
import { type CellKind, cellFacts, type RejectionRule, rejectionRules } from "./cell.ts";
import type { DatasetContract } from "./dataset.ts";

/** A cell as bronze has it, null when it is empty; dates are days since 1970. */
export type CellValue = string | number | null;

/** A column of bronze, and the names that a source's header may give it. */
export interface Column {
  name: string;
  kind: CellKind;
  headers: readonly string[];
}

/** The first rule that a record breaks. */
export interface Rejection {
  rule: RejectionRule;
  /** The source's name of the column at fault; null when the record as a whole is. */
  column: string | null;
  reason: string;
}

/** A record's values in contract order, or why it has none. */
export type ReadResult = { values: CellValue[] } | { rejection: Rejection };

/** The columns of a contract, in the order of bronze. */
export function contractColumns(contract: DatasetContract): Column[] {
  return Object.entries(contract.record.shape).map(([name, schema]) => {
    const facts = cellFacts.get(schema as z.ZodType);
    if (!facts) throw new Error(`the contract's cell ${name} has no kind`);
    return { name, kind: facts.kind, headers: facts.headers };
  });
}

/** The contract's columns that a header lacks, by the name the source should have used. */
export function missingColumns(contract: DatasetContract, header: readonly string[]): string[] {
  return contractColumns(contract)
    .filter((column) => !column.headers.some((name) => header.includes(name)))
    .map((column) => column.headers.join(" or "));
}

/**
 * A function from the cells of one record to its typed values in contract order, or the first rule it breaks.
 * The header may name the columns in any order and may have more; it must lack none.
 */
export function recordReader(contract: DatasetContract, header: readonly string[]) {
  const cells = contractColumns(contract).map((column) => ({
    schema: contract.record.shape[column.name] as z.ZodType<CellValue, string>,
    index: header.findIndex((name) => column.headers.includes(name)),
    header: column.headers[0] ?? column.name,
  }));

  return (record: readonly string[]): ReadResult => {
    if (record.length !== header.length) {
      const reason = `expected ${header.length} cells, got ${record.length}`;
      return { rejection: { rule: "wrong_number_of_cells", column: null, reason } };
    }
    const values: CellValue[] = [];
    for (const cell of cells) {
      const result = cell.schema.safeParse(record[cell.index] ?? "");
      if (!result.success) return { rejection: rejection(cell.header, result.error) };
      values.push(result.data);
    }
    return { values };
  };
}

function rejection(column: string, error: z.ZodError): Rejection {
  const issue = error.issues[0];
  const named = issue?.code === "custom" ? issue.params?.rule : undefined;
  const rule = rejectionRules.find((name) => name === named);
  if (!issue || !rule) throw new Error(`column ${column} broke no named rule`, { cause: error });
  return { rule, column, reason: `${column}: ${issue.message}` };
}
