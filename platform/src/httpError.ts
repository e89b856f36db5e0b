import { ServiceError } from "./serviceError.ts";

/** A ServiceError that knows its HTTP status, and when the same request may be sent again. */
export class HttpError extends ServiceError {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    { retryAfterSeconds, cause }: { retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(code, message, { retryable: retryAfterSeconds !== undefined, cause });
    this.name = "HttpError";
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
