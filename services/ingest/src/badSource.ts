import { ServiceError } from "@boxoffice/platform/serviceError";

export interface Complaint {
  code: string;
  /** What is wrong, in one line that names the file. */
  problem: string;
  expected: string;
  found: string;
  remedy: string;
  /** Whether the same again may help; for what is wrong with the bytes themselves it does not. */
  retryable?: boolean;
}

const published = "Nothing was published; the answers stay as they were.";

/** An error that fits on one screen about a source that is bad as a whole. */
export function badSource(complaint: Complaint, cause?: unknown): ServiceError {
  const { code, problem, expected, found, remedy, retryable = false } = complaint;
  const lines = [problem, `  expected: ${expected}`, `  found:    ${found}`, `  to do:    ${remedy}`, published];
  return new ServiceError(code, lines.join("\n"), { retryable, cause });
}

/** Names in a list that stays readable, however many there are. */
export function listed(names: readonly string[], most = 40): string {
  const shown = names
    .slice(0, most)
    .map((name) => excerpt(name))
    .join(", ");
  return names.length > most ? `${shown}, … (${names.length} in all)` : shown || "nothing";
}

/** The beginning of a text, on one line. */
export function excerpt(text: string, most = 100): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
