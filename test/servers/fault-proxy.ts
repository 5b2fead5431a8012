import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What becomes of bytes from now on, on connections that there are and on new ones. */
export type Fault =
  | { readonly kind: "pass" }
  /** New connections are reset at once; those that there are go on. */
  | { readonly kind: "refuse" }
  /** Connections are accepted and what comes on them is swallowed, both ways. */
  | { readonly kind: "blackhole" }
  /** Each chunk comes so much later, both ways. */
  | { readonly kind: "slow"; readonly delayMs: number }
  /** Each connection ends after so many bytes of the server's, counted from now or from its beginning. */
  | { readonly kind: "cut"; readonly afterBytes: number };

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Of the server's bytes that were passed on since the fault was set. */
  passed: number;
}

/** A TCP proxy on loopback before a real server, whose manners change while it runs. */
export class FaultProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #targetPort: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #fault: Fault = { kind: "pass" };
  /** Connections it was ever asked for. */
  accepted = 0;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (client) => this.#accept(client));
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new FaultProxy(server, targetPort);
  }

  set(fault: Fault): void {
    this.#fault = fault;
    for (const pair of this.#pairs) pair.passed = 0;
  }

  /** Ends the connections that there are, without a goodbye. */
  drop(): void {
    for (const pair of this.#pairs) this.#end(pair);
  }

  async close(): Promise<void> {
    this.drop();
    for (const timer of this.#timers) clearTimeout(timer);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get open(): number {
    return this.#pairs.size;
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    client.on("error", () => {});
    if (this.#fault.kind === "refuse") {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#targetPort, "127.0.0.1");
    const pair: Pair = { client, server, passed: 0 };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on("error", () => this.#end(pair));
      from.on("close", () => this.#end(pair));
      from.on("data", (bytes: Buffer) => this.#pass(pair, to, bytes));
    }
  }

  #pass(pair: Pair, to: Socket, bytes: Buffer): void {
    switch (this.#fault.kind) {
      case "pass":
      case "refuse":
        to.write(bytes);
        return;
      case "blackhole":
        return;
      case "slow": {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          if (!to.destroyed) to.write(bytes);
        }, this.#fault.delayMs);
        this.#timers.add(timer);
        return;
      }
      case "cut": {
        if (to === pair.server) {
          to.write(bytes);
          return;
        }
        const rest = this.#fault.afterBytes - pair.passed;
        pair.passed += bytes.length;
        if (bytes.length < rest) to.write(bytes);
        else to.write(bytes.subarray(0, rest), () => this.#end(pair));
      }
    }
  }

  #end(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    pair.client.resetAndDestroy();
    pair.server.destroy();
  }
}
