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

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
