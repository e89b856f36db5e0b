import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** When the proxy cuts the connection, once. */
export type Cut =
  /** When clients have sent so many bytes more. The last of them still reaches the engine. */
  | { after: "bytes"; bytes: number }
  /** When a client sends a piece that holds the text. It does not reach the engine. */
  | { after: "question"; text: string }
  /** When the engine has answered a piece that holds the text. The answer does not reach the client. */
  | { after: "answer"; text: string };

/** Stands between clients and an engine, passes their bytes on, and cuts a connection at a chosen moment. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut: Cut | undefined;
  #later: Cut[] = [];
  #sent = 0;
  /** Connections that were cut. */
  cuts = 0;

  private constructor(host: string, port: number) {
    this.#server = createServer((client) => this.#join(client, connect(port, host)));
  }

  /** Listens on a free port of this machine before an engine. */
  static async before(host: string, port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(host, port);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== "object" || !address) throw new Error("the proxy does not listen");
    return address.port;
  }

  /** Bytes that clients have sent since the last cut was chosen. */
  get sent(): number {
    return this.#sent;
  }

  /** Chooses the next cut, in place of those that did not come, and what is cut after it, each in its turn. */
  cutOnce(cut: Cut | undefined, ...later: Cut[]): void {
    this.#cut = cut;
    this.#later = later;
    this.#sent = 0;
  }

  /** Passes nothing more on over the connections there are, and closes none, until the function it answers is called. */
  stall(): () => void {
    const stalled = [...this.#sockets];
    for (const socket of stalled) socket.pause();
    return () => {
      for (const socket of stalled) socket.resume();
    };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket, engine: Socket): void {
    const end = () => {
      client.destroy();
      engine.destroy();
    };
    const cutNow = () => {
      this.#cut = this.#later.shift();
      this.cuts += 1;
      end();
    };
    for (const socket of [client, engine]) {
      this.#sockets.add(socket);
      socket.setNoDelay();
      socket.on("error", end);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    /** The cut that the next answer is for, unless another connection was cut for it. */
    let answered: Cut | undefined;
    client.on("data", (piece) => {
      const cut = this.#cut;
      const before = this.#sent;
      this.#sent += piece.length;
      if (cut?.after === "bytes" && this.#sent >= cut.bytes) {
        engine.write(piece.subarray(0, cut.bytes - before), cutNow);
        return;
      }
      if (cut && cut.after !== "bytes" && piece.includes(cut.text)) {
        if (cut.after === "question") return cutNow();
        answered = cut;
      }
      if (!engine.write(piece)) client.pause();
    });
    engine.on("data", (piece) => {
      if (answered && answered === this.#cut) return cutNow();
      if (!client.write(piece)) engine.pause();
    });
    engine.on("drain", () => client.resume());
    client.on("drain", () => engine.resume());
  }
}
