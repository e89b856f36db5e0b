import { ServiceError } from "@boxoffice/platform/serviceError";
import { DataType, type Table, TimeUnit, type Vector } from "apache-arrow";

type CellText = (row: number) => string;

/** An Arrow table as the lines of Postgres' COPY text format, exact to the last decimal. */
export function copyText(table: Table): string {
  const columns = table.schema.fields.map(({ name }) => {
    const vector = table.getChild(name);
    if (!vector) throw new Error(`column ${name} has no values`);
    return nullableText(name, vector);
  });
  let lines = "";
  for (let row = 0; row < table.numRows; row += 1) {
    for (const [at, text] of columns.entries()) lines += at === 0 ? text(row) : `\t${text(row)}`;
    lines += "\n";
  }
  return lines;
}

function nullableText(name: string, vector: Vector): CellText {
  const text = cellText(name, vector);
  return vector.nullCount === 0 ? text : (row) => (vector.isValid(row) ? text(row) : "\\N");
}

function cellText(name: string, vector: Vector): CellText {
  const { type } = vector;
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return (row) => escapeText(String(vector.get(row)));
  if (DataType.isInt(type) || DataType.isFloat(type)) return (row) => String(vector.get(row));
  if (DataType.isBool(type)) return (row) => (vector.get(row) ? "t" : "f");
  if (DataType.isDate(type)) return (row) => dayText(Number(vector.get(row)) / millisecondsPerDay);
  if (DataType.isDecimal(type)) return decimalText(vector, type.scale);
  if (DataType.isTimestamp(type)) return timestampText(vector, unitsPerSecond[type.unit]);
  throw new ServiceError("unknown_type", `column ${name} has the type ${type}, which the loader cannot copy`);
}

const unitsPerSecond: Readonly<Record<TimeUnit, bigint>> = {
  [TimeUnit.SECOND]: 1n,
  [TimeUnit.MILLISECOND]: 1_000n,
  [TimeUnit.MICROSECOND]: 1_000_000n,
  [TimeUnit.NANOSECOND]: 1_000_000_000n,
};

const millisecondsPerDay = 86_400_000;
const secondsPerDay = 86_400;
const twoDigits = Array.from({ length: 60 }, (_none, number) => String(number).padStart(2, "0"));

function dayText(daysSinceEpoch: number): string {
  return new Date(daysSinceEpoch * millisecondsPerDay).toISOString().slice(0, 10);
}

/** UTC, to the microsecond. Arrow's getter answers a double, which is not exact; the values below it are. */
function timestampText(vector: Vector, perSecond: bigint): CellText {
  const values = singleArray(vector);
  if (!(values instanceof BigInt64Array)) throw new Error("expected 64-bit timestamps");
  const days = new Map<number, string>();
  return (row) => {
    const value = values[row] ?? 0n;
    const rest = ((value % perSecond) + perSecond) % perSecond;
    const seconds = Number((value - rest) / perSecond);
    const day = Math.floor(seconds / secondsPerDay);
    const second = seconds - day * secondsPerDay;
    const known = days.get(day) ?? dayText(day);
    days.set(day, known);
    const time = `${twoDigits[Math.floor(second / 3600)]}:${twoDigits[Math.floor(second / 60) % 60]}:${twoDigits[second % 60]}`;
    const fraction = rest === 0n ? "" : `.${String((rest * 1_000_000n) / perSecond).padStart(6, "0")}`;
    return `${known} ${time}${fraction}`;
  };
}

/** A decimal is four words of 32 bits, the lowest first: its integer without the point, as a two's complement. */
function decimalText(vector: Vector, scale: number): CellText {
  const words = singleArray(vector);
  if (!(words instanceof Uint32Array) || words.length !== vector.length * 4)
    throw new Error("expected 128-bit decimals");
  const word = (at: number) => words[at] ?? 0;
  return (row) => {
    const at = row * 4;
    const isSmall = word(at + 1) === 0 && word(at + 2) === 0 && word(at + 3) === 0;
    if (isSmall) return withPoint(String(word(at)), scale);
    const high = (BigInt(word(at + 3)) << 32n) | BigInt(word(at + 2));
    const low = (BigInt(word(at + 1)) << 32n) | BigInt(word(at));
    const unscaled = BigInt.asIntN(128, (high << 64n) | low);
    return unscaled < 0n ? `-${withPoint(String(-unscaled), scale)}` : withPoint(String(unscaled), scale);
  };
}

function withPoint(digits: string, scale: number): string {
  if (scale === 0) return digits;
  const padded = digits.padStart(scale + 1, "0");
  return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

function singleArray(vector: Vector): unknown {
  const [data, ...others] = vector.data;
  if (!data || others.length > 0) throw new Error("expected one array of values");
  const values: unknown = data.values;
  return values;
}

const special = /[\\\n\r\t]/;
const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeText(text: string): string {
  return special.test(text) ? text.replace(/[\\\n\r\t]/g, (character) => escapes[character] ?? character) : text;
}
