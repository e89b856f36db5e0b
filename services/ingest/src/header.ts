import { type DatasetContract, type DatasetName, datasets } from "@boxoffice/contracts/dataset";
import { contractColumns, missingColumns } from "@boxoffice/contracts/recordReader";
import { badSource, excerpt, listed } from "./badSource.ts";
import { carriageReturns } from "./lineEnds.ts";

const delimiters = { ";": "semicolons", "\t": "tabs", "|": "vertical bars" } as const;

/** Refuses a text that is no CSV at all, by how it begins. */
export function checkBeginning(file: string, beginning: Buffer): void {
  const text = beginning
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .trimStart();
  const kind = knownKind(beginning, text);
  if (kind === undefined) return;
  throw badSource({
    code: kind.code,
    problem: `${file} is ${kind.name}, not CSV`,
    expected: "a CSV file that begins with a line of column names",
    found: excerpt(text),
    remedy: kind.remedy,
  });
}

function knownKind(beginning: Buffer, text: string): { code: string; name: string; remedy: string } | undefined {
  if (/^<(!doctype|html|head|body|\?xml|!--)/i.test(text)) {
    return {
      code: "html_instead_of_csv",
      name: "a web page (HTML)",
      remedy: "download the file itself; a page came instead, often one that asks to log in",
    };
  }
  if (/^[{[]/.test(text)) return { code: "not_csv", name: "JSON", remedy: "download the CSV file itself" };
  if (beginning.includes(0)) {
    return { code: "not_csv", name: "not text in UTF-8", remedy: 'save it as "CSV UTF-8"' };
  }
  return undefined;
}

/** Refuses a header that lacks a column of the contract; says what it seems to be. */
export function checkHeader(dataset: DatasetName, file: string, header: readonly string[]): void {
  const contract = datasets[dataset];
  const missing = missingColumns(contract, header);
  if (missing.length === 0) return;
  const line = header.join(",");
  if (line.includes("\r")) throw carriageReturns(file, 1, excerpt(line.replaceAll("\r", "\\r")));
  const expected = listed(contractColumns(contract).map((column) => column.headers.join(" or ")));
  const delimiter = otherDelimiter(contract, header);
  if (delimiter) {
    throw badSource({
      code: "wrong_delimiter",
      problem: `${file}: its columns seem to be separated by ${delimiter}, not by commas`,
      expected: `commas between the columns: ${expected}`,
      found: excerpt(line, 300),
      remedy: "save it again as CSV with commas",
    });
  }
  const hints = missing.map((name) => {
    const match = likelyMatch(name, header, contract);
    return match === undefined ? name : `${name} (is it '${match}'?)`;
  });
  throw badSource({
    code: "missing_column",
    problem: `${file} lacks ${missing.length === 1 ? "the column" : `${missing.length} columns`}: ${listed(hints)}`,
    expected,
    found: listed(header),
    remedy: "give the columns the expected names; their order does not matter, and further columns do no harm",
  });
}

function otherDelimiter(contract: DatasetContract, header: readonly string[]): string | undefined {
  const line = header.join(",");
  for (const [delimiter, name] of Object.entries(delimiters)) {
    const columns = line.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
    if (columns.length > header.length && missingColumns(contract, columns).length < contractColumns(contract).length)
      return name;
  }
  return undefined;
}

/** The column of the header, not in the contract, that the missing name may have become. */
function likelyMatch(missing: string, header: readonly string[], contract: DatasetContract): string | undefined {
  const known = new Set(contractColumns(contract).flatMap((column) => column.headers));
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  const candidates = header
    .filter((name) => !known.has(name))
    .map((name) => ({ name, distance: editDistance(plain(missing), plain(name)) }))
    .toSorted((one, other) => one.distance - other.distance);
  const best = candidates[0];
  const isNear = best !== undefined && best.distance <= Math.max(2, Math.floor(missing.length / 3));
  return isNear ? best.name : undefined;
}

/** Insertions, removals and replacements that make one text the other (Levenshtein). */
function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1];
    for (const [column, against] of [...other].entries()) {
      const replaced = (previous[column] ?? 0) + (letter === against ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
