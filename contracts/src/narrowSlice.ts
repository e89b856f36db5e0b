import {
  type Data,
  DataType,
  Field,
  Float,
  Int,
  makeData,
  Precision,
  RecordBatch,
  Schema,
  Struct,
  Table,
} from "apache-arrow";
import { rowNumber } from "./bronzeSchema.ts";

/**
 * Where a slice's rows are numbered one after the other, its schema's metadata has the first number by this name, and
 * there is no column of them. Columns whose values all fit are narrower than bronze's: Float32 for Float64, Uint32 for
 * Int64. Ratings take 16 bytes so, in place of 28, for which each is summed, sent and kept.
 */
export const firstRowNumber = "first_row_number";

// As Arrow reads them: of a type's own class, such as Int64, they would be others to it when it compares schemas.
const int32 = new Int(true, 32);
const int64 = new Int(true, 64);
const float64 = new Float(Precision.DOUBLE);

/** A slice as it comes, with the columns and types of bronze. */
export function widened(slice: Table): Table {
  const { fields, metadata } = slice.schema;
  const first = metadata.get(firstRowNumber);
  const wide = fields.map(({ name, type, nullable }) => new Field(name, wideType(type), nullable));
  const schema = new Schema(first === undefined ? wide : [new Field(rowNumber, int32, false), ...wide]);
  let next = Number(first ?? 0);
  const batches = slice.batches.map(({ data: { children }, numRows: length }) => {
    const columns = children.map(widenedColumn);
    if (first !== undefined) columns.unshift(numbersFrom(next, length));
    next += length;
    const type = new Struct(schema.fields);
    return new RecordBatch(schema, makeData({ type, length, nullCount: 0, children: columns }));
  });
  return new Table(schema, batches);
}

const isFloat32 = (type: DataType) => DataType.isFloat(type) && type.precision === Precision.SINGLE;
const isUint32 = (type: DataType) => DataType.isInt(type) && !type.isSigned && type.bitWidth === 32;

function wideType(type: DataType): DataType {
  if (isFloat32(type)) return float64;
  return isUint32(type) ? int64 : type;
}

function widenedColumn(column: Data): Data {
  const { type, length, nullCount, nullBitmap, values } = column;
  const facts = { length, nullCount, nullBitmap };
  if (isFloat32(type)) return makeData({ type: float64, data: new Float64Array(values), ...facts });
  return isUint32(type) ? makeData({ type: int64, data: wholeNumbers(values), ...facts }) : column;
}

/** Non-negative whole numbers in 64 bits, by halves: a BigInt of each would take as long as the reading. */
export function wholeNumbers(numbers: ArrayLike<number>): BigInt64Array {
  const halves = new Uint32Array(numbers.length * 2);
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at] ?? 0;
    halves[at * 2] = value;
    halves[at * 2 + 1] = value / 2 ** 32;
  }
  return new BigInt64Array(halves.buffer);
}

function numbersFrom(first: number, length: number): Data {
  const data = new Int32Array(length);
  for (let at = 0; at < length; at++) data[at] = first + at;
  return makeData({ type: int32, data, length, nullCount: 0 });
}
