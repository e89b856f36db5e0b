import { ServiceError } from "@boxoffice/platform/serviceError";
import type { Table, Vector } from "apache-arrow";

/** A column of a table in the lake. Throws `bad_gold` without one. */
export function columnOf(table: Table, name: string): Vector {
  const vector = table.getChild(name);
  if (!vector) throw new ServiceError("bad_gold", `a table in the lake has no column ${name}`);
  return vector;
}

/** The values of a vector as it holds them: as many as it has, or more. Throws `bad_gold` for another type. */
export function valuesOf<T>(vector: Vector, type: new (...parameters: never[]) => T): T {
  const [data, ...others] = vector.data;
  const values: unknown = data?.values;
  if (others.length > 0 || !(values instanceof type)) {
    throw new ServiceError("bad_gold", `a column in the lake is ${vector.type}: expected one ${type.name} of values`);
  }
  return values;
}
