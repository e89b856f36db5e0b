import { ServiceError } from "@boxoffice/platform/serviceError";
import { DataType, type Table, TimeUnit, type Vector } from "apache-arrow";
import { columnOf, valuesOf } from "./arrowColumns.ts";

/** What Postgres' binary COPY format begins with: its signature, no flags, no further header. */
export const copyHeader = Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), Buffer.alloc(8)]);
/** What it ends with. */
export const copyTrailer = Buffer.from([0xff, 0xff]);

/** One column's cells in their binary form. A cell is its length in four bytes, then its bytes; a null has the length -1. */
interface ColumnWriter {
  /** The most bytes that a cell of the column takes, its length included. */
  most: number;
  /** Puts the cell at `at` and answers where it ends. */
  write: (row: number, to: Target, at: number) => number;
}

/** The same bytes twice: a view writes numbers much faster than a Buffer does, which writes texts. */
interface Target {
  bytes: Buffer;
  view: DataView;
}

const lengthBytes = 4;

/** Rows as tuples of Postgres' binary COPY format, with these columns in this order. */
export interface TupleBatch {
  columns: string[];
  rows: number;
  bytes: Uint8Array;
}

/** An Arrow table as tuples, exact to the last decimal, in memory that nothing else is in. */
export function copyTuples(table: Table): TupleBatch {
  const rows = table.numRows;
  const columns = table.schema.fields.map(({ name }) => {
    const vector = columnOf(table, name);
    return nullable(vector, columnWriter(name, vector));
  });
  const tupleBytes = columns.reduce((sum, { most }) => sum + most, 2);
  const bytes = Buffer.allocUnsafeSlow(tupleBytes * rows);
  const to = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
  let at = 0;
  for (let row = 0; row < rows; row++) {
    to.view.setInt16(at, columns.length);
    at += 2;
    for (const { write } of columns) at = write(row, to, at);
  }
  return { columns: table.schema.fields.map(({ name }) => name), rows, bytes: bytes.subarray(0, at) };
}

function nullable(vector: Vector, { most, write }: ColumnWriter): ColumnWriter {
  if (vector.nullCount === 0) return { most, write };
  return {
    most,
    write: (row, to, at) => {
      if (vector.isValid(row)) return write(row, to, at);
      to.view.setInt32(at, -1);
      return at + lengthBytes;
    },
  };
}

/** Cells that all have the same number of bytes. */
function fixed(bytes: number, put: (row: number, view: DataView, at: number) => void): ColumnWriter {
  const most = lengthBytes + bytes;
  return {
    most,
    write: (row, { view }, at) => {
      view.setInt32(at, bytes);
      put(row, view, at + lengthBytes);
      return at + most;
    },
  };
}

function columnWriter(name: string, vector: Vector): ColumnWriter {
  const { type } = vector;
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return texts(vector);
  if (DataType.isInt(type) && type.bitWidth === 32) {
    const values = valuesOf(vector, Int32Array);
    return fixed(4, (row, view, at) => view.setInt32(at, values[row] ?? 0));
  }
  if (DataType.isInt(type) && type.bitWidth === 64) {
    const values = valuesOf(vector, BigInt64Array);
    return fixed(8, (row, view, at) => view.setBigInt64(at, values[row] ?? 0n));
  }
  if (DataType.isFloat(type) && type.precision === 2) {
    const values = valuesOf(vector, Float64Array);
    return fixed(8, (row, view, at) => view.setFloat64(at, values[row] ?? 0));
  }
  if (DataType.isBool(type)) return fixed(1, (row, view, at) => view.setUint8(at, vector.get(row) ? 1 : 0));
  if (DataType.isDate(type)) {
    return fixed(4, (row, view, at) => view.setInt32(at, Number(vector.get(row)) / millisecondsPerDay - postgresDay));
  }
  if (DataType.isDecimal(type)) return decimals(vector, type.scale);
  if (DataType.isTimestamp(type)) return timestamps(vector, type.unit);
  throw new ServiceError("unknown_type", `column ${name} has the type ${type}, which the loader cannot copy`);
}

function texts(vector: Vector): ColumnWriter {
  let most = 0;
  for (let row = 0; row < vector.length; row++) {
    if (vector.isValid(row)) most = Math.max(most, Buffer.byteLength(String(vector.get(row))));
  }
  return {
    most: lengthBytes + most,
    write: (row, to, at) => {
      const bytes = to.bytes.write(String(vector.get(row)), at + lengthBytes);
      to.view.setInt32(at, bytes);
      return at + lengthBytes + bytes;
    },
  };
}

const millisecondsPerDay = 86_400_000;
/** Postgres counts from 2000-01-01. */
const postgresDay = 10_957;
/** In microseconds. */
const postgresEpoch = postgresDay * 86_400 * 1_000_000;

const microseconds: Readonly<Partial<Record<TimeUnit, number>>> = {
  [TimeUnit.SECOND]: 1_000_000,
  [TimeUnit.MILLISECOND]: 1_000,
  [TimeUnit.MICROSECOND]: 1,
};

/** In UTC. Times of the centuries around 2000 are reckoned without a BigInt of each, which would take most of the time. */
function timestamps(vector: Vector, unit: TimeUnit): ColumnWriter {
  const values = valuesOf(vector, BigInt64Array);
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const factor = microseconds[unit];
  if (factor === undefined)
    throw new ServiceError("unknown_type", "timestamps finer than microseconds cannot be copied");
  return fixed(8, (row, view, at) => putTime(view, at, halves[2 * row] ?? 0, halves[2 * row + 1] ?? 0, factor));
}

/** Puts a time, which is so many times a factor of microseconds since 1970, given by the halves of its 64 bits. */
export function putTime(view: DataView, at: number, low: number, high: number, factor: number): void {
  const unixTime = (high * wordValues + (low >>> 0)) * factor;
  const time = unixTime - postgresEpoch;
  if (Number.isSafeInteger(unixTime) && Number.isSafeInteger(time)) {
    view.setInt32(at, Math.floor(time / wordValues));
    view.setInt32(at + 4, time | 0);
    return;
  }
  const value = (BigInt(high) << 32n) | BigInt(low >>> 0);
  view.setBigInt64(at, value * BigInt(factor) - BigInt(postgresEpoch));
}

const wordValues = 2 ** 32;
const digitBase = 10_000;
const digitsPerGroup = 4;

function decimals(vector: Vector, scale: number): ColumnWriter {
  const words = valuesOf(vector, Uint32Array);
  const most = lengthBytes + 8 + 2 * (Math.ceil(38 / digitsPerGroup) + 2);
  return {
    most,
    write: (row, to, at) => {
      const [low = 0, second = 0, third = 0, high = 0] = words.subarray(4 * row, 4 * row + 4);
      const bytes = numericCell(unscaled(low, second, third, high), scale);
      for (let byte = 0; byte < bytes.length; byte++) to.bytes[at + byte] = bytes[byte] ?? 0;
      return at + bytes.length;
    },
  };
}

/** A decimal's integer without the point: four words of 32 bits, the lowest first, a two's complement. */
function unscaled(low: number, second: number, third: number, high: number): bigint {
  const upper = (BigInt(high) << 32n) | BigInt(third);
  const lower = (BigInt(second) << 32n) | BigInt(low);
  return BigInt.asIntN(128, (upper << 64n) | lower);
}

/** A numeric's cell: digits to the base of 10,000 on both sides of the point, without zeros at either end. */
function numericCell(value: bigint, scale: number): Buffer {
  const isNegative = value < 0n;
  const text = String(isNegative ? -value : value).padStart(scale + 1, "0");
  const whole = text.slice(0, text.length - scale);
  const fraction = text.slice(text.length - scale);
  const groups = [
    ...groupsOf(whole.padStart(Math.ceil(whole.length / digitsPerGroup) * digitsPerGroup, "0")),
    ...groupsOf(fraction.padEnd(Math.ceil(fraction.length / digitsPerGroup) * digitsPerGroup, "0")),
  ];
  let weight = Math.ceil(whole.length / digitsPerGroup) - 1;
  while (groups[0] === 0) {
    groups.shift();
    weight--;
  }
  while (groups.at(-1) === 0) groups.pop();
  const cell = Buffer.alloc(lengthBytes + 8 + 2 * groups.length);
  cell.writeInt32BE(8 + 2 * groups.length, 0);
  cell.writeInt16BE(groups.length, 4);
  cell.writeInt16BE(groups.length === 0 ? 0 : weight, 6);
  cell.writeUInt16BE(isNegative ? 0x4000 : 0, 8);
  cell.writeInt16BE(scale, 10);
  for (const [at, group] of groups.entries()) cell.writeInt16BE(group, 12 + 2 * at);
  return cell;
}

function groupsOf(digits: string): number[] {
  return Array.from(
    { length: digits.length / digitsPerGroup },
    (_none, at) => Number(digits.slice(at * digitsPerGroup, (at + 1) * digitsPerGroup)) % digitBase,
  );
}
