import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  NoSuchKey,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { z } from "zod";
import type { s3Environment } from "./environment.ts";
import { ServiceError } from "./serviceError.ts";

export type S3Settings = Readonly<z.infer<typeof s3Environment>>;

export interface StoredObject {
  key: string;
  bytes: number;
  modified: Date;
  /** Another one with other bytes; undefined where the store tells none. */
  etag: string | undefined;
}

/** Of a create-only write that meets another operation on its key. */
const conflictAttempts = 6;
const firstConflictMilliseconds = 50;

const connectionMilliseconds = 10_000;

/** The lake's bucket on any S3: MinIO, S3Proxy, AWS. */
export class ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(settings: S3Settings, stalledAfterMilliseconds = 60_000) {
    this.#bucket = settings.S3_BUCKET;
    const { S3_ACCESS_KEY: accessKeyId, S3_SECRET_KEY: secretAccessKey } = settings;
    this.#client = new S3Client({
      region: settings.S3_REGION,
      // No limit to a whole request: an upload may take long, as long as it goes on.
      requestHandler: { connectionTimeout: connectionMilliseconds, socketTimeout: stalledAfterMilliseconds },
      ...(settings.S3_ENDPOINT ? { endpoint: settings.S3_ENDPOINT, forcePathStyle: true } : {}),
      ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
    });
  }

  /** Answers whether the bucket can be reached. */
  async isReachable(): Promise<boolean> {
    return this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket })).then(
      () => true,
      () => false,
    );
  }

  /** Makes the bucket if there is none. */
  async ensureBucket(): Promise<void> {
    if (await this.isReachable()) return;
    try {
      await this.#client.send(new CreateBucketCommand({ Bucket: this.#bucket }));
    } catch (error) {
      if (!(error instanceof S3ServiceException && error.name.startsWith("BucketAlready"))) throw error;
    }
  }

  /** Writes an object unless one of that key exists; returns whether it was written. */
  async create(key: string, body: Uint8Array | string): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, IfNoneMatch: "*" }));
        return true;
      } catch (error) {
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        if (status === 412) return false;
        // Says that another operation on the key was under way, and not how it ended: only another try can tell.
        if (status !== 409 || attempt === conflictAttempts) throw error;
        await sleep((0.5 + Math.random()) * firstConflictMilliseconds * 2 ** (attempt - 1));
      }
    }
  }

  /** Writes an object, over one that exists. */
  async put(key: string, body: Uint8Array | string): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body }));
  }

  /** Uploads a local file in parts, so that memory stays bounded whatever its size. */
  async upload(
    key: string,
    path: string,
    onBytes: (sent: number) => void = () => {},
    signal?: AbortSignal,
  ): Promise<void> {
    const upload = new Upload({
      client: this.#client,
      params: { Bucket: this.#bucket, Key: key, Body: createReadStream(path, { highWaterMark: 1 << 20 }) },
      queueSize: 2,
      partSize: 8 << 20,
    });
    upload.on("httpUploadProgress", (progress) => onBytes(progress.loaded ?? 0));
    const abort = () => void upload.abort();
    signal?.addEventListener("abort", abort, { once: true });
    await upload.done().finally(() => signal?.removeEventListener("abort", abort));
  }

  /** The object's bytes as a stream, or undefined when there is none. */
  async stream(key: string): Promise<Readable | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      return Body as Readable;
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  /** The object's bytes, or undefined when there is none. */
  async bytes(key: string): Promise<Uint8Array | undefined> {
    const stream = await this.stream(key);
    return stream && Buffer.concat(await stream.toArray());
  }

  /** A JSON object checked against its schema, or undefined when there is none. */
  async json<T>(key: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const bytes = await this.bytes(key);
    if (!bytes) return undefined;
    const result = schema.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8")));
    if (result.success) return result.data;
    throw new ServiceError(
      "bad_object",
      `s3://${this.#bucket}/${key} is not as its contract says: ${result.error.message}`,
    );
  }

  /** Every object whose key starts with the prefix, in key order. */
  async *list(prefix: string): AsyncGenerator<StoredObject> {
    for await (const page of paginateListObjectsV2(
      { client: this.#client },
      { Bucket: this.#bucket, Prefix: prefix },
    )) {
      for (const { Key, Size = 0, LastModified = new Date(), ETag } of page.Contents ?? []) {
        if (Key) yield { key: Key, bytes: Size, modified: LastModified, etag: ETag };
      }
    }
  }

  /** Deletes objects; a key that has none is no error. */
  async delete(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += 1000) {
      const Objects = keys.slice(from, from + 1000).map((Key) => ({ Key }));
      await this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }));
    }
  }

  /** Ends the connections. */
  close(): void {
    this.#client.destroy();
  }
}
