import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { ObjectStore } from "@boxoffice/platform/objectStore";

interface Kept {
  content: Buffer;
  modified: Date;
}

/** A store in memory, for what a real one cannot be brought to: being full, and holding old objects. */
export async function s3Server() {
  const objects = new Map<string, Kept>();
  const state = { isFull: false, tellsEtags: true };
  /** The keys that were read, in order. */
  const reads: string[] = [];
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://store");
    const key = decodeURIComponent(pathname.replace(/^\/lake\/?/, ""));
    const body = Buffer.concat(await request.toArray());
    const fail = (status: number, code: string) =>
      response.writeHead(status).end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
    if (request.method === "PUT") {
      if (state.isFull) return fail(507, "XMinioStorageFull");
      if (request.headers["if-none-match"] === "*" && objects.has(key)) return fail(412, "PreconditionFailed");
      objects.set(key, { content: body, modified: new Date() });
      return response.end();
    }
    if (request.method === "POST" && searchParams.has("delete")) {
      for (const [, deleted] of body.toString().matchAll(/<Key>(.*?)<\/Key>/g)) objects.delete(deleted ?? "");
      return response.end("<DeleteResult/>");
    }
    if (searchParams.get("list-type") === "2") {
      const found = [...objects].filter(([name]) => name.startsWith(searchParams.get("prefix") ?? "")).sort();
      const contents = found.map(([name, { content, modified }]) => {
        const digest = createHash("md5").update(content).digest("hex");
        const etag = state.tellsEtags ? `<ETag>"${digest}"</ETag>` : "";
        return `<Contents><Key>${name}</Key><Size>${content.length}</Size><LastModified>${modified.toISOString()}</LastModified>${etag}</Contents>`;
      });
      return response.end(`<ListBucketResult>${contents.join("")}</ListBucketResult>`);
    }
    reads.push(key);
    const kept = objects.get(key);
    return kept ? response.end(kept.content) : fail(404, "NoSuchKey");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("no port to listen on");
  const store = new ObjectStore({
    S3_ENDPOINT: `http://127.0.0.1:${address.port}`,
    S3_REGION: "us-east-1",
    S3_BUCKET: "lake",
    S3_ACCESS_KEY: "key",
    S3_SECRET_KEY: "secret",
  });
  return {
    store,
    objects,
    state,
    reads,
    close: () => {
      store.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
