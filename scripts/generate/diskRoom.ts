import { statfs } from "node:fs/promises";
import { BoxError, exitCode } from "../boxError.ts";

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6).toLocaleString("en")} MB`;

/** Refuses when the disk of a directory that exists has no room for so many bytes. */
export async function requireRoom(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new BoxError(
    `${directory} has ${megabytes(free)} free and up to ${megabytes(bytes)} are needed: make room, or ask for fewer ratings`,
    exitCode.environment,
  );
}
