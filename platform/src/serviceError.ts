import { fullDisk, storeFailure } from "./fullDisk.ts";

/** An error for people: what was expected, what came, what to do. `retryable` says whether the same again may help. */
export class ServiceError extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "ServiceError";
    this.code = code;
    this.retryable = options.retryable ?? false;
  }

  /** Any thrown value as a ServiceError; what is not one already is a full disk, or unexpected and worth a retry. */
  static from(thrown: unknown): ServiceError {
    if (thrown instanceof ServiceError) return thrown;
    const full = fullDisk(thrown);
    if (full) {
      const message = `${full.disk} has no space left (${full.reason}). Free space there, then run again; what was published stays`;
      return new ServiceError("disk_full", message, { cause: thrown });
    }
    const message = storeFailure(thrown) ?? (thrown instanceof Error ? thrown.message : String(thrown));
    return new ServiceError("unexpected", message, { retryable: true, cause: thrown });
  }
}
