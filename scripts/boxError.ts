/** Exit codes of ./box. */
export const exitCode = {
  /** The command did not succeed: a run failed, a service did not start. */
  failed: 1,
  /** The command line or an input is wrong. */
  usage: 2,
  /** The machine lacks something; the message says what and the remedy. */
  environment: 3,
  /** Ctrl-C, or a request to end. */
  interrupted: 130,
} as const;

/** An error shown to the user as its message alone. */
export class BoxError extends Error {
  readonly exitCode: number;

  constructor(message: string, code: number = exitCode.failed, cause?: unknown) {
    super(message, { cause });
    this.name = "BoxError";
    this.exitCode = code;
  }
}
