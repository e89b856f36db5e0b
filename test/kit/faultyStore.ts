import { once } from "node:events";
import { type ClientRequest, createServer, request as passOn, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Random32 } from "../../scripts/random32.ts";

export interface StoreFaults {
  /** Of 1,000 requests, how many are answered with 503 and not done. */
  refused: number;
  /** Of 1,000 requests, how many are done, and answered with 500. */
  lost: number;
  /** Each waits up to so long. */
  milliseconds: number;
  /** And at least so long. */
  leastMilliseconds?: number;
  /** Only requests of this method wait or fail. */
  method?: "PUT";
}

export const noFaults: StoreFaults = { refused: 0, lost: 0, milliseconds: 0 };

/**
 * Stands before an S3 server and is slow and fails as such servers do. Clients have to be given its address, which
 * their signatures hold; requests are passed on as they are.
 */
export class FaultyStore {
  readonly #server: Server;
  readonly #random: Random32;
  faults = noFaults;
  /** Requests that were answered with an error of the proxy's. */
  failed = 0;
  /** The same by what the client calls itself first. */
  readonly failedOf = new Map<string, number>();
  #stalled: Promise<void> | undefined;
  /** Writes that have come since they are passed on no more. */
  stalledWrites = 0;

  private constructor(engine: URL, seed: number) {
    this.#random = new Random32(seed);
    this.#server = createServer(async (request, response) => {
      const { refused, lost, milliseconds, leastMilliseconds: least = 0, method: failing } = this.faults;
      const { method, url, headers } = request;
      const isSpared = failing !== undefined && method !== failing;
      const drawn = isSpared ? 1000 : this.#random.below(1000);
      await sleep(isSpared ? 0 : least + this.#random.below(milliseconds - least + 1));
      if (method === "PUT" && this.#stalled) {
        this.stalledWrites += 1;
        await this.#stalled;
        // Of a client that was killed meanwhile.
        if (request.destroyed) return;
      }
      const fail = (status: number, code: string) => {
        this.failed += 1;
        const [client = ""] = (request.headers["user-agent"] ?? "").split(/[ /]/);
        this.failedOf.set(client, (this.failedOf.get(client) ?? 0) + 1);
        response.writeHead(status, { "content-type": "application/xml" });
        response.end(`<Error><Code>${code}</Code><Message>made by the test</Message></Error>`);
      };
      if (drawn < refused) {
        request.resume().on("end", () => fail(503, "SlowDown"));
        return;
      }
      const { hostname, port } = engine;
      // Answered by this server already; it is not among what clients sign.
      const { expect: _, ...signed } = headers;
      const onward: ClientRequest = passOn({ hostname, port, method, path: url, headers: signed });
      onward.on("error", () => response.destroy());
      // Of a client that was killed comes no more, and the engine is not to wait for it.
      request.on("close", () => request.complete || onward.destroy());
      onward.on("response", (answer) => {
        if (drawn < refused + lost) {
          answer.resume().on("end", () => fail(500, "InternalError"));
          return;
        }
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
  }

  /** Listens on a free port of this machine before the S3 server of that address; draws from the seed who fails. */
  static async before(endpoint: string, seed: number): Promise<FaultyStore> {
    const store = new FaultyStore(new URL(endpoint), seed);
    store.#server.listen(0, "127.0.0.1");
    await once(store.#server, "listening");
    return store;
  }

  get endpoint(): string {
    const address = this.#server.address();
    if (typeof address !== "object" || !address) throw new Error("the store does not listen");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Passes no write on, those that wait included, until the function it answers is called. */
  stallWrites(): () => void {
    let goOn = () => {};
    this.stalledWrites = 0;
    this.#stalled = new Promise((resolve) => {
      goOn = resolve;
    });
    return () => {
      this.#stalled = undefined;
      goOn();
    };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
