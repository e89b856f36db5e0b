import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A disk in memory that holds all of a folder, and may fill. */
export class OwnDisk {
  readonly #folder: string;
  #isMounted = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the disk, of so many mebibytes, and puts on it what the folder holds. */
  mount(mebibytes: number): void {
    mkdirSync(this.#folder, { recursive: true });
    run("cp", "-a", this.#folder, this.#aside);
    run("mount", "-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", this.#folder);
    this.#isMounted = true;
    run("cp", "-a", `${this.#aside}/.`, this.#folder);
    rmSync(this.#aside, { recursive: true });
  }

  /** Leaves in the folder what the disk holds, less what filled it, where it was made. */
  unmount(): void {
    if (!this.#isMounted) return;
    this.free();
    rmSync(this.#aside, { recursive: true, force: true });
    run("cp", "-a", this.#folder, this.#aside);
    run("umount", this.#folder);
    this.#isMounted = false;
    rmSync(this.#folder, { recursive: true });
    renameSync(this.#aside, this.#folder);
  }

  /** Fills it, or what has become free since, less so many mebibytes; wholly if others take those meanwhile. */
  fillButFor(mebibytes: number): void {
    const piece = Buffer.alloc(64 << 10);
    const filler = openSync(this.#filler, "a");
    try {
      while (this.#room >= (mebibytes << 20) + piece.length) writeSync(filler, piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      closeSync(filler);
    }
  }

  /** Takes away what filled it. */
  free(): void {
    rmSync(this.#filler, { force: true });
  }

  get #room(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize;
  }

  get #filler(): string {
    return join(this.#folder, "filler");
  }

  get #aside(): string {
    return `${this.#folder}.aside`;
  }
}

/** Takes away with all they hold the disks that were left in a folder. */
export function unmountBelow(folder: string): void {
  if (process.platform !== "linux") return;
  const mounted = readFileSync("/proc/mounts", "utf8").split("\n");
  for (const path of mounted.map((line) => line.split(" ")[1] ?? "")) {
    if (path.startsWith(`${folder}/`)) run("umount", path);
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: "pipe" });
}

function triesToMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), "mount-"));
  try {
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder);
    run("umount", folder);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(folder);
  }
}

/** Only root may mount, and not in every container. */
export const mayMount = triesToMount();
