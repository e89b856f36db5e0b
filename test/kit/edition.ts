import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { rootPath } from "../../scripts/boxHome.ts";

export type EditionFile = "movies_metadata.csv" | "links.csv" | "ratings_small.csv" | "CPIAUCSL.csv";

const bundled = (file: string) => rootPath("data", "edition", `${file}.gz`);

/** The text of a file of the bundled edition. */
export function bundledText(file: EditionFile): string {
  return gunzipSync(readFileSync(bundled(file))).toString("utf8");
}

/** A copy of the bundled edition in a folder of its own, to be spoiled. */
export class EditionCopy {
  readonly path = mkdtempSync(join(tmpdir(), "edition-"));

  constructor() {
    for (const file of ["movies_metadata.csv", "links.csv", "ratings_small.csv", "CPIAUCSL.csv"]) {
      cpSync(bundled(file), join(this.path, `${file}.gz`));
    }
  }

  /** Takes a file away. */
  without(file: EditionFile): this {
    rmSync(join(this.path, `${file}.gz`));
    return this;
  }

  /** Puts other bytes in a file's place; gzip when the name says so. */
  with(file: EditionFile, content: string | Uint8Array, name: string = file): this {
    this.without(file);
    writeFileSync(join(this.path, name), content);
    return this;
  }

  /** Puts records behind those of a file, as if they had always been there. */
  withMore(file: EditionFile, lines: readonly string[]): this {
    const text = bundledText(file);
    const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
    return this.with(file, `${text.replace(/\r?\n$/, "")}${lineEnd}${lines.join(lineEnd)}${lineEnd}`);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
