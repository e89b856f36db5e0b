import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { vi } from "vitest";

/** A command `docker` first on the PATH, which says what a test wants said and keeps what it was asked. */
export class FakeDocker {
  readonly folder = mkdtempSync(join(tmpdir(), "docker-"));
  readonly home = join(this.folder, "home");
  private readonly log = join(this.folder, "asked");

  constructor() {
    vi.stubEnv("PATH", `${this.folder}${delimiter}${process.env.PATH}`);
    vi.stubEnv("BOX_HOME", this.home);
    // The box's modules read BOX_HOME once.
    vi.resetModules();
    this.answers({});
  }

  /** What it does from now on: shell commands by the pattern of its arguments, the first that fits. Else it says nothing. */
  answers(cases: Record<string, string>): void {
    const branches = Object.entries(cases).map(
      ([pattern, commands]) => `${pattern.replaceAll(" ", "\\ ")})\n${commands}\n;;`,
    );
    const lines = ["#!/bin/sh", `echo "$*" >> '${this.log}'`, 'case "$*" in', ...branches, "esac"];
    const program = join(this.folder, "docker");
    writeFileSync(program, lines.join("\n"));
    chmodSync(program, 0o755);
  }

  /** Arguments of the calls so far, joined by spaces; scripts among them take several lines. */
  asked(): string[] {
    return existsSync(this.log) ? readFileSync(this.log, "utf8").trim().split("\n") : [];
  }

  remove(): void {
    vi.unstubAllEnvs();
    rmSync(this.folder, { recursive: true });
  }
}

/** Cases for an engine and a Compose that are new enough. */
export const engineAnswers = {
  "info *": `printf '28.0.0\\tlinux/x86_64\\t${8 * 2 ** 30}\\t2\\t/nowhere\\n'`,
  "compose version *": "echo 2.40.3",
};

/** A shell command that prints a value as JSON. */
export const prints = (value: unknown) => `cat <<'JSON'\n${JSON.stringify(value)}\nJSON`;

/** A container as `docker compose ps` has it. */
export const container = (Service: string, own: Record<string, unknown> = {}) => ({
  Name: `box-${Service}-1`,
  Service,
  State: "running",
  Health: "healthy",
  ExitCode: 0,
  Publishers: [],
  ...own,
});
