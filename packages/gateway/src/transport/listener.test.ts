import { connect, type Socket } from "node:net";
import { setTimeout as after } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { BodyRead, Exchange } from "#domain/ports";
import { startListener, type Listener } from "./listener.ts";

const limits = { maxBytes: 1024 * 1024, idleMs: 300 };
const open: { listeners: Listener[]; sockets: Socket[] } = { listeners: [], sockets: [] };

afterEach(() => {
  for (const socket of open.sockets.splice(0)) socket.destroy();
  for (const listener of open.listeners.splice(0)) listener.destroy();
});

async function listen(onExchange: (exchange: Exchange) => void): Promise<Listener> {
  const listener = await startListener({
    host: "127.0.0.1",
    port: 0,
    reusePort: false,
    maxHeaderBytes: 16 * 1024,
    headersTimeoutMs: 2_000,
    stalledClientMs: 300,
    maxConnections: 100,
    onExchange,
  });
  open.listeners.push(listener);
  return listener;
}

interface Client {
  readonly socket: Socket;
  readonly seen: { text: string; ended: boolean; closed: boolean };
}

/** A client that keeps its side open whatever the server does, as hostile ones do. */
function dial(listener: Listener): Client {
  const socket = connect({ port: listener.port, host: "127.0.0.1", allowHalfOpen: true });
  const seen = { text: "", ended: false, closed: false };
  socket.on("data", (bytes: Buffer) => (seen.text += bytes.toString("latin1")));
  socket.on("end", () => (seen.ended = true));
  socket.on("close", () => (seen.closed = true));
  socket.on("error", () => {});
  open.sockets.push(socket);
  return { socket, seen };
}

function post(body: string | Uint8Array, headers = ""): Buffer {
  const head = `POST /x?y=1 HTTP/1.1\r\nhost: g\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

/** Reads the body and echoes what became of it. */
async function echo(exchange: Exchange): Promise<BodyRead> {
  const read = await exchange.readBody(limits);
  const said = read.kind === "read" ? read.bytes : Buffer.from(read.kind === "refused" ? read.failure.kind : "gone");
  exchange.respond(read.kind === "read" ? 200 : 400, { "x-a": ["1", "2"] });
  exchange.end(said);
  return read;
}

describe("an exchange", () => {
  it("gives method, path, query, headers and body, and answers with a length", async () => {
    const exchanges: Exchange[] = [];
    const { socket, seen } = dial(
      await listen((exchange) => {
        exchanges.push(exchange);
        void echo(exchange);
      }),
    );
    socket.write(post("hello", "X-Upper: Yes\r\n"));
    await vi.waitUntil(() => seen.text.endsWith("hello"), { timeout: 10_000 });
    expect(seen.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(seen.text).toMatch(/x-a: 1\r\nx-a: 2\r\n/);
    expect(seen.text).toMatch(/content-length: 5\r\n/);
    const [exchange] = exchanges;
    expect(exchange).toMatchObject({ method: "POST", path: "/x", gone: false });
    expect(exchange?.query.get("y")).toBe("1");
    expect(exchange?.headers["x-upper"]).toBe("Yes");
  });

  it("answers HEAD with the length and without the body, and the connection goes on", async () => {
    const { socket, seen } = dial(
      await listen((exchange) => {
        exchange.respond(200, {});
        exchange.end(Buffer.from("a body"));
      }),
    );
    socket.write("HEAD / HTTP/1.1\r\nhost: g\r\n\r\n");
    await vi.waitUntil(() => seen.text.endsWith("\r\n\r\n"), { timeout: 10_000 });
    expect(seen.text).toMatch(/content-length: 6\r\n/);
    expect(seen.text).not.toContain("a body");
    socket.write("GET / HTTP/1.1\r\nhost: g\r\n\r\n");
    await vi.waitUntil(() => seen.text.endsWith("a body"), { timeout: 10_000 });
  });

  it.each([
    ["plain gzip", gzipSync("hello"), "hello"],
    ["what is no gzip", Buffer.from("hello"), "invalid_request"],
    ["half a gzip", gzipSync("hello").subarray(0, 12), "invalid_request"],
    ["a bomb", gzipSync(Buffer.alloc(900_000)), "request_too_large"],
    ["more than the limit", gzipSync(Buffer.alloc(2_000_000)), "request_too_large"],
  ])("reads a body in gzip: %s", async (_name, body, said) => {
    const { socket, seen } = dial(await listen((exchange) => void echo(exchange)));
    socket.write(post(body, "content-encoding: gzip\r\n"));
    await vi.waitUntil(() => seen.text.endsWith(said), { timeout: 10_000 });
  });

  it("reads no other encoding", async () => {
    const { socket, seen } = dial(await listen((exchange) => void echo(exchange)));
    socket.write(post("hello", "content-encoding: br\r\n"));
    await vi.waitUntil(() => seen.text.endsWith("invalid_request"), { timeout: 10_000 });
  });

  it("refuses a body that stops coming, and one whose client leaves is gone", async () => {
    const reads: BodyRead[] = [];
    const listener = await listen((exchange) => void echo(exchange).then((read) => reads.push(read)));
    const slow = dial(listener);
    slow.socket.write(post("hello").subarray(0, -1));
    await vi.waitUntil(() => slow.seen.text.endsWith("upload_timeout"));
    const leaving = dial(listener);
    leaving.socket.write(post("hello").subarray(0, -1));
    await after(50);
    leaving.socket.destroy();
    await vi.waitUntil(() => reads.length === 2, { timeout: 10_000 });
    expect(reads).toMatchObject([{ kind: "refused" }, { kind: "gone" }]);
  });

  it("lets a client that is still sending read why its body is too large", async () => {
    const listener = await listen((exchange) => void echo(exchange));
    for (let round = 0; round < 5; round += 1) {
      const { socket, seen } = dial(listener);
      socket.write(`POST / HTTP/1.1\r\nhost: g\r\ncontent-length: ${limits.maxBytes * 8}\r\n\r\n`);
      const piece = Buffer.alloc(64 * 1024);
      for (let sent = 0; sent < 40 && !seen.closed; sent += 1) {
        socket.write(piece);
        await after(2);
      }
      await vi.waitUntil(() => seen.text.endsWith("request_too_large"), { timeout: 10_000 });
      expect(seen.text).toMatch(/connection: close/i);
    }
  });

  it("asks to stop while its client takes nothing, and says when it takes again", async () => {
    const exchanges: Exchange[] = [];
    const { socket } = dial(await listen((exchange) => void exchanges.push(exchange)));
    socket.pause();
    socket.write(post(""));
    await vi.waitUntil(() => exchanges.length === 1, { timeout: 10_000 });
    const [exchange] = exchanges;
    let drained = 0;
    exchange?.onDrain(() => (drained += 1));
    exchange?.respond(200, {});
    // More than the system's own buffers hold on the way.
    for (let writes = 0; writes < 32; writes += 1) expect(exchange?.write(Buffer.alloc(1024 * 1024))).toBe(false);
    await after(100);
    expect(drained).toBe(0);
    socket.resume();
    await vi.waitUntil(() => drained === 1, { timeout: 10_000 });
    exchange?.end();
  });

  it("tells once that its client is gone, and does nothing for it any more", async () => {
    const exchanges: Exchange[] = [];
    const { socket } = dial(await listen((exchange) => void exchanges.push(exchange)));
    socket.write(post(""));
    await vi.waitUntil(() => exchanges.length === 1, { timeout: 10_000 });
    const [exchange] = exchanges;
    let gone = 0;
    exchange?.onGone(() => (gone += 1));
    socket.destroy();
    await vi.waitUntil(() => gone === 1, { timeout: 10_000 });
    expect(exchange?.gone).toBe(true);
    expect(exchange?.write(Buffer.from("x"))).toBe(true);
    exchange?.end();
    await after(20);
    expect(gone).toBe(1);
  });

  it("tells every request of a pipeline that its client is gone, also one whose turn has not come", async () => {
    const gone: number[] = [];
    let count = 0;
    const { socket } = dial(
      await listen((exchange) => {
        const number = (count += 1);
        exchange.onGone(() => gone.push(number));
      }),
    );
    socket.write(Buffer.concat([post(""), post(""), post("")]));
    await vi.waitUntil(() => count === 3, { timeout: 10_000 });
    socket.destroy();
    await vi.waitUntil(() => gone.length === 3, { timeout: 10_000 });
  });

  it("is let go where its client never takes the end of its answer, and not while it takes some", async () => {
    const exchanges: Exchange[] = [];
    const listener = await listen((exchange) => {
      exchanges.push(exchange);
      exchange.respond(200, {});
      exchange.end(Buffer.alloc(48 * 1024 * 1024));
    });
    const stuck = dial(listener);
    stuck.socket.pause();
    stuck.socket.write(post(""));
    await vi.waitUntil(() => exchanges[0]?.gone === true, { timeout: 3_000 });
    const slow = dial(listener);
    slow.socket.pause();
    slow.socket.write(post(""));
    for (let pause = 0; pause < 8; pause += 1) {
      await after(120);
      slow.socket.resume();
      await after(2);
      slow.socket.pause();
    }
    slow.socket.resume();
    await vi.waitUntil(() => slow.seen.text.length > 48 * 1024 * 1024, { timeout: 5_000 });
    expect(exchanges[1]?.gone).toBe(false);
  });
});

describe("a connection", () => {
  it("may rest between requests, and wait for a long answer, beyond the time a client may take nothing", async () => {
    let count = 0;
    const listener = await listen((exchange) => {
      const number = (count += 1);
      exchange.respond(200, {});
      void after(number === 1 ? 0 : 500).then(() => exchange.end(Buffer.from(`answer ${number}.`)));
    });
    const { socket, seen } = dial(listener);
    socket.write(Buffer.concat([post(""), post("")]));
    await vi.waitUntil(() => seen.text.endsWith("answer 2."), { timeout: 10_000 });
    await after(500);
    socket.write(post(""));
    await vi.waitUntil(() => seen.text.endsWith("answer 3."), { timeout: 10_000 });
    expect(seen.ended).toBe(false);
  });
});

describe("a listener", () => {
  it("survives a client that asks for another protocol and resets the connection", async () => {
    const listener = await listen((exchange) => void echo(exchange));
    const rude = dial(listener);
    rude.socket.write("GET / HTTP/1.1\r\nhost: g\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    await vi.waitUntil(() => rude.seen.text.startsWith("HTTP/1.1 501"), { timeout: 10_000 });
    rude.socket.write("more");
    rude.socket.resetAndDestroy();
    await after(50);
    const next = dial(listener);
    next.socket.write(post("hello"));
    await vi.waitUntil(() => next.seen.text.endsWith("hello"), { timeout: 10_000 });
  });

  it.each([
    ["what is no HTTP", "garbage\r\n\r\n", 400],
    ["another protocol", "GET / HTTP/1.1\r\nhost: g\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", 501],
    ["a bad head", "GET / HTTP/1.1\r\nhost: a b\r\n\r\n", 400],
  ])("closes a connection after %s, also where its client does not", async (_name, bytes, status) => {
    const listener = await listen((exchange) => void echo(exchange));
    const { socket, seen } = dial(listener);
    socket.write(bytes);
    await vi.waitUntil(() => seen.ended, { timeout: 10_000 });
    expect(seen.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    let closed = false;
    void listener.closed.then(() => (closed = true));
    listener.stopAccepting();
    await vi.waitUntil(() => closed, { timeout: 4_000 });
  });

  it("asks clients to close once it has stopped, and is closed when they have", async () => {
    const listener = await listen((exchange) => void echo(exchange));
    const { socket, seen } = dial(listener);
    socket.write(post("one"));
    await vi.waitUntil(() => seen.text.endsWith("one"), { timeout: 10_000 });
    listener.stopAccepting();
    socket.write(post("two"));
    await vi.waitUntil(() => seen.text.endsWith("two"), { timeout: 10_000 });
    expect(seen.text.match(/connection: close/gi)).toHaveLength(1);
    await listener.closed;
  });

  it("rejects where the address is taken", async () => {
    const listener = await listen(() => {});
    await expect(
      startListener({
        host: "127.0.0.1",
        port: listener.port,
        reusePort: false,
        maxHeaderBytes: 1024,
        headersTimeoutMs: 1_000,
        stalledClientMs: 1_000,
        maxConnections: 1,
        onExchange: () => {},
      }),
    ).rejects.toThrow(/EADDRINUSE/);
  });
});
