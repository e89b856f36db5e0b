/** An error of Node, of Postgres or of the S3 client. */
type EngineError = Error & { code?: unknown; path?: unknown; $metadata?: { httpStatusCode?: unknown } };

const diskCodes: readonly unknown[] = ["ENOSPC", "EDQUOT"];
/** SQLSTATE disk_full. */
const warehouseCode = "53100";
const insufficientStorage = 507;
const fullStore = /XMinioStorageFull|no space left|storage (is )?full/i;
const mostCauses = 10;

/** What an S3 server's failure may mean: some say of a full disk only that they failed, and one that ended says nothing. */
export function storeFailure(thrown: unknown): string | undefined {
  const { name, message, code, $metadata }: Partial<EngineError> = thrown instanceof Error ? thrown : {};
  // The client's own, and of the connection: of what it was answered it tells the status, of what it did wrong no code.
  if ($metadata && $metadata.httpStatusCode === undefined && (typeof code === "string" || name === "TimeoutError")) {
    return `the lake's S3 server did not answer (${message}). ./box status says whether it runs, ./box logs s3 why it ended. Start it with ./box up, and run again`;
  }
  if (typeof $metadata?.httpStatusCode !== "number" || $metadata.httpStatusCode < 500) return undefined;
  return `the lake's S3 server failed (HTTP ${$metadata.httpStatusCode}, ${name}: ${message}). Its disk may be full: ./box doctor tells the room there is, ./box logs s3 what it says`;
}

/** Which disk has no space left, and what told so; undefined when that is not why it was thrown. */
export function fullDisk(thrown: unknown): { disk: string; reason: string } | undefined {
  let cause = thrown;
  for (let depth = 0; depth < mostCauses && cause instanceof Error; depth += 1) {
    const { message, name, code, path, $metadata }: EngineError = cause;
    if (diskCodes.includes(code)) {
      return { disk: typeof path === "string" ? `the disk of ${path}` : "the disk of this service", reason: message };
    }
    if (code === warehouseCode) return { disk: "the warehouse's disk", reason: message };
    if ($metadata?.httpStatusCode === insufficientStorage || ($metadata && fullStore.test(`${name} ${message}`))) {
      return { disk: "the lake's disk", reason: `${name}: ${message}` };
    }
    cause = cause.cause;
  }
  return undefined;
}
