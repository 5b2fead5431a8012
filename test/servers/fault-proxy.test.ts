import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FaultProxy } from "./fault-proxy.ts";

/** Says back whatever it hears. */
let echo: Server;
let proxy: FaultProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  proxy = await FaultProxy.start((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

class Client {
  heard = "";
  ended = false;
  readonly socket = connect(proxy.port, "127.0.0.1");
  readonly #watchers = new Set<() => void>();

  constructor() {
    sockets.push(this.socket);
    this.socket.on("error", () => {});
    this.socket.on("data", (bytes) => this.#note(() => (this.heard += bytes.toString())));
    this.socket.on("close", () => this.#note(() => (this.ended = true)));
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (condition() && this.#watchers.delete(look)) resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #note(change: () => void): void {
    change();
    for (const look of this.#watchers) look();
  }
}

const briefly = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

describe("a proxy with faults", () => {
  it("passes bytes both ways", async () => {
    const client = new Client();
    client.socket.write("one");
    await client.until(() => client.heard === "one");
    expect(proxy.open).toBe(1);
  });

  it("refuses new connections and lets the old go on, until they are dropped", async () => {
    const old = new Client();
    old.socket.write("one");
    await old.until(() => old.heard === "one");
    proxy.set({ kind: "refuse" });
    const late = new Client();
    await late.until(() => late.ended);
    old.socket.write(" two");
    await old.until(() => old.heard === "one two");
    proxy.drop();
    await old.until(() => old.ended);
  });

  it("swallows what comes, on old connections and on new ones, and what was swallowed is lost", async () => {
    const old = new Client();
    old.socket.write("one");
    await old.until(() => old.heard === "one");
    proxy.set({ kind: "blackhole" });
    const late = new Client();
    old.socket.write(" two");
    late.socket.write("two");
    await briefly();
    expect([old.heard, old.ended, late.heard, late.ended]).toEqual(["one", false, "", false]);
    proxy.set({ kind: "pass" });
    late.socket.write("three");
    await late.until(() => late.heard === "three");
  });

  it("is slow, and keeps the order", async () => {
    proxy.set({ kind: "slow", delayMs: 40 });
    const client = new Client();
    const beganMs = performance.now();
    client.socket.write("a");
    await briefly();
    client.socket.write("b");
    await client.until(() => client.heard === "ab");
    expect(performance.now() - beganMs).toBeGreaterThan(120);
  });

  it("cuts after so many bytes", async () => {
    const client = new Client();
    client.socket.write("one");
    await client.until(() => client.heard === "one");
    proxy.set({ kind: "cut", afterBytes: 5 });
    client.socket.write("123");
    await client.until(() => client.heard === "one123");
    client.socket.write("456789");
    await client.until(() => client.ended);
    expect("one12345".startsWith(client.heard)).toBe(true);
  });
});
