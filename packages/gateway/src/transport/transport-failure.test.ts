import { createServer, type AddressInfo } from "node:net";
import { expect, it } from "vitest";
import type { Failure } from "#domain/failure";
import { transportFailure } from "./transport-failure.ts";
import { openUpstream } from "./upstream.ts";

/** What a provider that sends exactly these bytes, then ends the connection, comes to. */
async function failureOf(raw: string): Promise<Failure | "ended"> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(raw));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const upstream = openUpstream();
  try {
    return await new Promise((resolve) => {
      upstream.send(
        { origin: `http://127.0.0.1:${port}`, path: "/", method: "POST", headers: {}, connectMs: 1000 },
        { onHead() {}, onBytes() {}, onEnd: () => resolve("ended"), onFail: resolve },
      );
    });
  } finally {
    await upstream.close();
    server.close();
  }
}

it.each([
  ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n"],
  ["a status below 100", "HTTP/1.1 099 Odd\r\n\r\n"],
  ["a header without a colon", "HTTP/1.1 200 OK\r\nfoo bar\r\n\r\n"],
  ["a broken chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"],
  ["headers beyond every bound", `HTTP/1.1 200 OK\r\nx: ${"h".repeat(70_000)}\r\n\r\n`],
])("calls %s a bad response, not a lost connection", async (_name, raw) => {
  expect(await failureOf(raw)).toMatchObject({ kind: "bad_upstream_response" });
});

it.each([
  ["nothing", "", "connection_lost"],
  ["a part of a body of known length", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", "truncated_response"],
  [
    "a part of a chunked body",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "truncated_response",
  ],
])("tells a connection that ends after %s from one that never answered", async (_name, raw, kind) => {
  expect(await failureOf(raw)).toMatchObject({ kind });
});

it("passes over interim answers", async () => {
  expect(await failureOf("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na")).toBe(
    "ended",
  );
});

function coded(code: string): Error {
  return Object.assign(new Error("an address of ours"), { code });
}

it.each([
  ["ECONNREFUSED", "unreachable"],
  ["ENOTFOUND", "unresolvable"],
  ["ETIMEDOUT", "connect_timeout"],
  ["ECONNRESET", "connection_lost"],
  ["CERT_HAS_EXPIRED", "tls_rejected"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "tls_rejected"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "tls_rejected"],
  ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "unreachable"],
  ["SOMETHING_NEW", "connection_lost"],
])("takes %s before any answer for %s", (code, kind) => {
  const made = transportFailure(coded(code), { headSeen: false, connectMs: 1 });
  expect(made.kind).toBe(kind);
  expect(made.message).not.toContain("an address of ours");
});

it.each(["ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC"])(
  "takes %s in the middle of an answer for an answer that broke off: it says nothing of the address",
  (code) => {
    expect(transportFailure(coded(code), { headSeen: true, connectMs: 1 }).kind).toBe("truncated_response");
  },
);

it("finds the reason inside what wraps it", () => {
  const wrapped = new TypeError("fetch failed", { cause: new AggregateError([coded("ECONNREFUSED")]) });
  expect(transportFailure(wrapped, { headSeen: false, connectMs: 1 }).kind).toBe("unreachable");
});
