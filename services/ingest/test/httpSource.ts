import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Server } from "node:net";

export interface HttpSource {
  url: string;
  /** Every request that came, in order. */
  requests: { method: string; path: string; headers: IncomingMessage["headers"] }[];
  close: () => Promise<void>;
}

/** Listens on a free port of this machine. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("no port to listen on");
  return address.port;
}

/** Answers one request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A local server; the answers are given in turn, the last one for all further requests. */
export async function httpSource(...answers: Answer[]): Promise<HttpSource> {
  const requests: HttpSource["requests"] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers });
    answer?.(request, response);
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface ServedFile {
  content: Buffer;
  etag?: string;
  /** Sends this many bytes of the answer's body and cuts the connection. */
  cutAfter?: number;
  ignoresRange?: boolean;
  ignoresConditions?: boolean;
}

/** Serves a file with Range, If-Range and If-None-Match as RFC 9110 has them, less what is switched off. */
export function file({ content, etag, cutAfter, ignoresRange, ignoresConditions }: ServedFile): Answer {
  return (request, response) => {
    if (etag) response.setHeader("etag", etag);
    if (etag && !ignoresConditions && request.headers["if-none-match"] === etag) {
      response.writeHead(304).end();
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const isSame = request.headers["if-range"] === undefined || request.headers["if-range"] === etag;
    const isRange = from > 0 && isSame && !ignoresRange;
    if (isRange && from >= content.length) {
      response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
      return;
    }
    const body = isRange ? content.subarray(from) : content;
    if (isRange) response.setHeader("content-range", `bytes ${from}-${content.length - 1}/${content.length}`);
    response.writeHead(isRange ? 206 : 200, { "content-length": body.length });
    if (request.method === "HEAD") response.end();
    else if (cutAfter === undefined) response.end(body);
    else response.write(body.subarray(0, cutAfter), () => response.socket?.destroy());
  };
}

/** Answers with a status alone. */
export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => response.writeHead(code, headers).end();
}

export function redirect(location: string): Answer {
  return status(302, { location });
}
