import { once } from "node:events";
import { createHash, randomBytes } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as after } from "node:timers/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Failure } from "#domain/failure";
import type { UpstreamFlow } from "#domain/ports";
import { openUpstream, type Upstream, type UpstreamOptions } from "./upstream.ts";

it.each([
  ["plain", undefined, (bytes: Buffer) => bytes],
  ["gzip", "gzip", (bytes: Buffer) => gzipSync(bytes)],
  ["brotli", "br", (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
])("gives nothing while paused, and everything afterwards: %s", async (_name, encoding, pack) => {
  // Packs to about three quarters: a decompressor may not make a thousand bytes of one.
  const body = Buffer.from(randomBytes(12 * 1024 * 1024).toString("base64"));
  const packed = pack(body);
  const server = createServer((_request, response) => {
    response.writeHead(200, encoding === undefined ? {} : { "content-encoding": encoding }).end(packed);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const upstream = openUpstream();
  const { port } = server.address() as AddressInfo;
  let received = 0;
  const ended = Promise.withResolvers<void>();
  const flow = upstream.send(
    { origin: `http://127.0.0.1:${port}`, path: "/", method: "GET", headers: {}, connectMs: 1000 },
    {
      onHead() {},
      onBytes(bytes) {
        if (received === 0) flow.pause();
        received += bytes.length;
      },
      onEnd: ended.resolve,
      onFail: (what) => ended.reject(new Error(what.kind)),
    },
  );
  await after(200);
  expect(received).toBeGreaterThan(0);
  // One read of the socket, or what the decompressor had in hand.
  expect(received).toBeLessThanOrEqual(256 * 1024);
  flow.resume();
  await ended.promise;
  expect(received).toBe(body.length);
  await upstream.close();
  server.close();
});

interface Seen {
  readonly flow: UpstreamFlow;
  status: number;
  headers: Readonly<Record<string, string>>;
  text: string;
  /** Every ending that was told: exactly one, or none after `cancel`. */
  readonly endings: (Failure | "end")[];
}

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

interface Provider {
  readonly origin: string;
  readonly sockets: Set<Socket>;
  connections: number;
}

async function provider(answer: RequestListener): Promise<Provider> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const made: Provider = { origin: `http://127.0.0.1:${port}`, sockets: new Set(), connections: 0 };
  server.on("connection", (socket) => {
    made.connections += 1;
    made.sockets.add(socket);
    socket.on("close", () => made.sockets.delete(socket));
  });
  open.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return made;
}

function client(more: Partial<UpstreamOptions> = {}): Upstream {
  const usual = { maxConnections: 4, maxOrigins: 4, maxHeaderBytes: 16 * 1024, maxInflatedBytes: 1024 * 1024 };
  const upstream = openUpstream({ ...usual, ...more });
  open.push(() => void upstream.close());
  return upstream;
}

interface Asked {
  readonly headers?: Record<string, string>;
  readonly connectMs?: number;
  readonly body?: readonly Uint8Array[];
}

function post(upstream: Upstream, origin: string, more: Asked = {}) {
  const seen: Omit<Seen, "flow"> = { status: 0, headers: {}, text: "", endings: [] };
  const flow = upstream.send(
    { origin, path: "/v1/x", method: "POST", headers: {}, body: [Buffer.from("{}")], connectMs: 1_000, ...more },
    {
      onHead: (status, headers) => Object.assign(seen, { status, headers }),
      onBytes: (bytes) => void (seen.text += Buffer.from(bytes).toString("utf8")),
      onEnd: () => void seen.endings.push("end"),
      onFail: (what) => void seen.endings.push(what),
    },
  );
  return Object.assign(seen, { flow });
}

describe("an upstream", () => {
  it("gives head, bytes and one end, and uses the connection again", async () => {
    const there = await provider((_request, response) => {
      response.setHeader("X-Two", ["a", "b"]);
      response.end("body");
    });
    const upstream = client();
    for (let round = 0; round < 3; round += 1) {
      const seen = post(upstream, there.origin);
      await vi.waitUntil(() => seen.endings.length > 0, { timeout: 10_000 });
      expect(seen).toMatchObject({ status: 200, text: "body", endings: ["end"], headers: { "x-two": "a, b" } });
    }
    expect(there.connections).toBe(1);
  });

  it.each([
    ["small", 10],
    ["large", 400_000],
  ])("sends the pieces of a %s body as one, with their joint length", async (_size, bytes) => {
    const there = await provider((request, response) => {
      const received: Buffer[] = [];
      request.on("data", (chunk: Buffer) => received.push(chunk));
      request.on("end", () => {
        const { "content-length": length, "transfer-encoding": coding } = request.headers;
        const digest = createHash("sha256").update(Buffer.concat(received)).digest("hex");
        response.end(JSON.stringify({ length, coding, digest }));
      });
    });
    const upstream = client();
    const body = [randomBytes(bytes), randomBytes(3), randomBytes(bytes)];
    for (let round = 0; round < 2; round += 1) {
      const seen = post(upstream, there.origin, { body });
      await vi.waitUntil(() => seen.endings.length > 0, { timeout: 10_000 });
      const digest = createHash("sha256").update(Buffer.concat(body)).digest("hex");
      expect(JSON.parse(seen.text)).toEqual({ length: String(2 * bytes + 3), digest });
    }
    expect(there.connections).toBe(1);
  });

  it("fails once where the connection goes while a large body is on its way", async () => {
    const there = await provider((request) => void request.once("data", () => request.socket.destroy()));
    const body = Array.from({ length: 64 }, () => randomBytes(256 * 1024));
    const seen = post(client(), there.origin, { body });
    await vi.waitUntil(() => seen.endings.length > 0, { timeout: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen.endings).toMatchObject([{ kind: "connection_lost" }]);
  });

  it("takes a large body back where the call is cancelled while it is on its way", async () => {
    const there = await provider((request) => {
      // Reads a little, then nothing for a moment: the rest waits on our side when the call is cancelled.
      request.once("data", () => request.pause());
      setTimeout(() => request.resume(), 200);
    });
    const body = Array.from({ length: 64 }, () => randomBytes(256 * 1024));
    const seen = post(client(), there.origin, { body });
    await vi.waitUntil(() => there.sockets.size === 1, { timeout: 10_000 });
    seen.flow.cancel();
    await vi.waitUntil(() => there.sockets.size === 0, { timeout: 10_000 });
    expect(seen.endings).toEqual([]);
  });

  it("cuts the connection of a cancelled answer at once, and says nothing more of it", { retry: 2 }, async () => {
    const there = await provider((_request, response) => void response.write("half"));
    const seen = post(client(), there.origin);
    await vi.waitUntil(() => seen.text === "half", { timeout: 10_000 });
    const cutAtMs = performance.now();
    seen.flow.cancel();
    await vi.waitUntil(() => there.sockets.size === 0, { interval: 2, timeout: 10_000 });
    expect(performance.now() - cutAtMs).toBeLessThan(50);
    seen.flow.pause();
    seen.flow.resume();
    seen.flow.cancel();
    await after(20);
    expect(seen.endings).toEqual([]);
  });

  it("never sends what was cancelled before a connection was free", async () => {
    let asked = 0;
    const there = await provider((_request, response) => {
      asked += 1;
      setTimeout(() => response.end("done"), 50);
    });
    const upstream = client({ maxConnections: 1 });
    const first = post(upstream, there.origin);
    const waiting = post(upstream, there.origin);
    waiting.flow.cancel();
    await vi.waitUntil(() => first.endings.length > 0, { timeout: 10_000 });
    const next = post(upstream, there.origin);
    await vi.waitUntil(() => next.endings.length > 0, { timeout: 10_000 });
    expect(asked).toBe(2);
    expect(waiting).toMatchObject({ status: 0, endings: [] });
  });

  it.each([
    ["gzip", gzipSync("some words, and then some more of them"), "truncated_response"],
    ["br", Buffer.from("no brotli at all"), "bad_upstream_response"],
    ["zstd", Buffer.from("x"), "bad_upstream_response"],
  ])("fails once on a body in %s that cannot be read", async (encoding, body, kind) => {
    const there = await provider((_request, response) => {
      response.setHeader("content-encoding", encoding);
      response.end(encoding === "gzip" ? body.subarray(0, -6) : body);
    });
    const seen = post(client(), there.origin);
    await vi.waitUntil(() => seen.endings.length > 0, { timeout: 10_000 });
    await after(20);
    expect(seen.endings).toMatchObject([{ kind }]);
  });

  it("fails once where the connection is reset in the middle of the answer", async () => {
    const there = await provider((request, response) => {
      response.write("half");
      setTimeout(() => request.socket.resetAndDestroy(), 20);
    });
    const seen = post(client(), there.origin);
    await vi.waitUntil(() => seen.endings.length > 0, { timeout: 10_000 });
    expect(seen).toMatchObject({ text: "half", endings: [{ kind: "truncated_response" }] });
  });

  it("fails once where nobody listens, and where a header cannot be sent", async () => {
    const upstream = client();
    const refused = post(upstream, "http://127.0.0.1:1");
    await vi.waitUntil(() => refused.endings.length > 0, { timeout: 10_000 });
    expect(refused.endings).toMatchObject([{ kind: "unreachable" }]);
    const wrong = post(upstream, "http://127.0.0.1:1", { headers: { "x-a": "line\nbreak" } });
    await vi.waitUntil(() => wrong.endings.length > 0, { timeout: 10_000 });
    expect(wrong.endings).toHaveLength(1);
  });

  it("keeps the connections to the origins in use when there are too many", async () => {
    const there = await Promise.all(
      Array.from({ length: 3 }, () => provider((_request, response) => void response.end("x"))),
    );
    const upstream = client({ maxOrigins: 2 });
    const [busy, ...others] = there;
    for (const other of others) {
      for (const one of [busy, other]) {
        const seen = post(upstream, one?.origin ?? "");
        await vi.waitUntil(() => seen.endings.length > 0, { timeout: 10_000 });
      }
    }
    const seen = post(upstream, busy?.origin ?? "");
    await vi.waitUntil(() => seen.endings.length > 0, { timeout: 10_000 });
    expect(busy?.connections).toBe(1);
  });
});
