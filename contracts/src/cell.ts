import { z } from "zod";

/** What a cell holds; decides how it is checked, and its type in bronze. */
export type CellKind = "id" | "number" | "epoch_seconds" | "date" | "genre_list" | "text";

/** The rules a record can break. The first that it breaks is the one reported. */
export const rejectionRules = [
  "wrong_number_of_cells",
  "missing_key",
  "not_a_positive_integer",
  "unreadable_number",
  "out_of_range",
  "unreadable_timestamp",
  "unreadable_date",
  "unreadable_genre_list",
  "unstorable_character",
] as const;
export type RejectionRule = (typeof rejectionRules)[number];

export interface CellFacts {
  kind: CellKind;
  /** Names the column may have in the source's header. */
  headers: readonly string[];
}

/** Beside each cell's schema: its kind and its name in the source. */
export const cellFacts = z.registry<CellFacts>();

/** 9999-12-31T23:59:59Z, the last that every engine here reads. */
const lastSecond = 253_402_300_799;
const largestId = 2_147_483_647;
const integerText = /^\d{1,10}$/;
const numberText = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/;
const isoDate = /^(\d{4})-(\d{2})-(\d{2})$/;
const spreadsheetDate = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/;
// Escapes that both Python and silver's reader know.
const escapeSequence = String.raw`\\(?:[^xuUN0-7]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})`;
const quotedText = String.raw`(?:'(?:[^'\\]|${escapeSequence})*'|"(?:[^"\\]|${escapeSequence})*")`;
const genre = String.raw`\{\s*(?:'id'|"id")\s*:\s*\d{1,9}\s*,\s*(?:'name'|"name")\s*:\s*${quotedText}\s*\}`;
const genreListText = new RegExp(String.raw`^\[\s*(?:${genre}(?:\s*,\s*${genre})*)?\s*\]$`);
const nul = "\0";
// A backslash that is escaped itself begins no escape.
const escapedNul = /(?<!\\)(?:\\\\)*\\(?:x00|u0000)/;

const millisecondsPerDay = 86_400_000;

/** Days since 1970-01-01 of a real date, or undefined. */
function daysSinceEpoch(cell: string): number | undefined {
  const iso = isoDate.exec(cell);
  const [year, month, day] = iso ? [iso[1], iso[2], iso[3]] : pick(spreadsheetDate.exec(cell));
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const isReal = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return isReal && Number(year) > 0 ? date.getTime() / millisecondsPerDay : undefined;
}

function pick(match: RegExpExecArray | null): (string | undefined)[] {
  return match ? [match[3], match[1], match[2]] : [];
}

function reject(context: z.RefinementCtx, rule: RejectionRule, message: string): never {
  context.addIssue({ code: "custom", params: { rule }, message });
  return z.NEVER;
}

function rejectNul(context: z.RefinementCtx): never {
  return reject(context, "unstorable_character", "it holds the character U+0000, which the warehouse cannot store");
}

type Read<T> = (cell: string) => T | undefined;

/** A cell that is null when empty, and otherwise what `read` makes of it, or an issue. */
function cell<T>(facts: CellFacts, rule: RejectionRule, expected: string, read: Read<T>) {
  const schema = z.string().transform((raw, context): T | null => {
    const trimmed = raw.trim();
    if (trimmed === "") return null;
    const value = read(trimmed);
    if (value !== undefined) return value;
    const shown = trimmed.length > 60 ? `${trimmed.slice(0, 60)}…` : trimmed;
    return reject(context, rule, `expected ${expected}, got '${shown}'`);
  });
  schema.register(cellFacts, facts);
  return schema;
}

/** The same cell where empty is not allowed. */
function required<T>(optional: z.ZodType<T | null, string>, facts: CellFacts) {
  const schema = optional.transform((value, context): T => value ?? reject(context, "missing_key", "the key is empty"));
  schema.register(cellFacts, facts);
  return schema;
}

function readId(raw: string): number | undefined {
  const value = integerText.test(raw) ? Number(raw) : 0;
  return value > 0 && value <= largestId ? value : undefined;
}

/** A positive integer up to 2147483647, or empty. */
export function id(...headers: string[]) {
  return cell({ kind: "id", headers }, "not_a_positive_integer", "a positive integer up to 2147483647", readId);
}

/** A positive integer up to 2147483647. */
export function idKey(...headers: string[]) {
  return required(id(...headers), { kind: "id", headers });
}

/** A decimal number, or empty. */
export function number(...headers: string[]) {
  return cell({ kind: "number", headers }, "unreadable_number", "a number", (raw) =>
    numberText.test(raw) ? Number(raw) : undefined,
  );
}

/** A decimal number from `least` to `most`, or empty. */
export function numberWithin({ least, most = Infinity }: { least: number; most?: number }, ...headers: string[]) {
  const range = most === Infinity ? `from ${least} up` : `from ${least} to ${most}`;
  const schema = number(...headers).transform((value, context): number | null => {
    if (value === null || (value >= least && value <= most)) return value;
    return reject(context, "out_of_range", `expected a number ${range}, got '${value}'`);
  });
  schema.register(cellFacts, { kind: "number", headers });
  return schema;
}

/** A decimal number, or empty; FRED writes `.` for a missing value. */
export function fredNumber(...headers: string[]) {
  const facts: CellFacts = { kind: "number", headers };
  const schema = z
    .string()
    .transform((raw) => (raw.trim() === "." ? "" : raw))
    .pipe(number(...headers));
  schema.register(cellFacts, facts);
  return schema;
}

/** Seconds since 1970-01-01T00:00:00Z as a whole number, or empty. */
export function epochSeconds(...headers: string[]) {
  return cell({ kind: "epoch_seconds", headers }, "unreadable_timestamp", "whole seconds since 1970", (raw) =>
    /^\d{1,12}$/.test(raw) && Number(raw) <= lastSecond ? Number(raw) : undefined,
  );
}

/** A date, as days since 1970-01-01, or empty. */
export function date(...headers: string[]) {
  return cell({ kind: "date", headers }, "unreadable_date", "a date like 1995-10-30 or 10/30/1995", daysSinceEpoch);
}

/** A date, as days since 1970-01-01. */
export function dateKey(...headers: string[]) {
  return required(date(...headers), { kind: "date", headers });
}

/** A list of genres as the source writes it, `[{'id': 16, 'name': 'Animation'}]`, or empty. */
export function genreList(...headers: string[]) {
  const facts: CellFacts = { kind: "genre_list", headers };
  const list = cell(facts, "unreadable_genre_list", "a list of {'id', 'name'}", (raw) =>
    genreListText.test(raw) ? raw : undefined,
  );
  const schema = list.transform((raw, context): string | null => {
    if (raw !== null && (raw.includes(nul) || escapedNul.test(raw))) return rejectNul(context);
    return raw;
  });
  schema.register(cellFacts, facts);
  return schema;
}

/** Any text without the character U+0000, kept as it came; empty is null. */
export function text(...headers: string[]) {
  const schema = z.string().transform((raw, context): string | null => {
    if (raw.includes(nul)) return rejectNul(context);
    return raw === "" ? null : raw;
  });
  schema.register(cellFacts, { kind: "text", headers });
  return schema;
}
