import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, createWriteStream, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip, constants as zlib } from "node:zlib";
import { BoxError, exitCode } from "../boxError.ts";
import { root } from "../boxHome.ts";
import { run } from "../install/run.ts";
import { interruption } from "../interrupt.ts";
import { step } from "../terminal.ts";
import { completeImages, images } from "./images.ts";

const mebibyte = 1 << 20;

/** Writes every image of the chosen profiles into one archive, which is compressed when its name ends in gz. */
export async function saveImages(file: string): Promise<void> {
  refuseUnwritable(file);
  // Where they are loaded there is no cache to build them again from.
  await completeImages();
  const names = (await images()).map(({ name }) => name);
  const part = `${file}.part`;
  try {
    await step(`Saving ${names.length} images to ${file}`, async (report) => {
      const child = spawn("docker", ["save", ...names], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(child, "close");
      ended.catch(() => {});
      let bytes = 0;
      const count = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          bytes += chunk.length;
          report(`${Math.round(bytes / mebibyte).toLocaleString("en")} MiB`);
          done(null, chunk);
        },
      });
      const packed = /gz$/.test(file) ? [createGzip({ level: zlib.Z_BEST_SPEED })] : [];
      await pipeline([child.stdout, count, ...packed, createWriteStream(part)], { signal: interruption });
      const [code] = await ended;
      if (code !== 0) throw new BoxError(`docker save ended with exit code ${code}`, exitCode.failed);
    });
    renameSync(part, file);
  } catch (error) {
    throw unwritten(file, error);
  } finally {
    rmSync(part, { force: true });
  }
}

/** Building and pulling take minutes, after which it is late to learn that there is no place for the archive. */
function refuseUnwritable(file: string): void {
  const folder = dirname(file);
  if (!isDirectory(folder)) {
    throw new BoxError(
      `there is no directory ${folder} to write the archive to; make it, or name another`,
      exitCode.usage,
    );
  }
  if (isDirectory(file)) {
    throw new BoxError(
      `${file} is a directory; name the archive's file, e.g. ${join(file, "images.tar.gz")}`,
      exitCode.usage,
    );
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw new BoxError(`the directory ${folder} may not be written to; name another`, exitCode.usage, cause);
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** What the file system says, for people; other errors stay as they are. */
function unwritten(file: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  const remedy =
    "code" in error && error.code === "ENOSPC" ? "free some space there, or name another place" : "name another place";
  return new BoxError(
    `${file} could not be written: ${error.message}\nThe part that was written is removed; ${remedy}`,
    exitCode.environment,
    error,
  );
}

/** Gives the engine the images of an archive. */
export async function loadImages(file: string): Promise<void> {
  if (!existsSync(file)) throw new BoxError(`there is no file ${file}`, exitCode.usage);
  await step(`Loading images from ${file}`, () => run("docker", ["load", "--input", file]));
  const lacking = (await images()).filter(({ size }) => size === undefined).map(({ name }) => name);
  if (lacking.length > 0)
    throw new BoxError(`the archive is of other profiles or of another version: it lacks ${lacking.join(", ")}`);
}
