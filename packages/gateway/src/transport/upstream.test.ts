import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as after } from "node:timers/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { openUpstream } from "./upstream.ts";

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
