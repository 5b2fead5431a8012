import { good } from "./hostile-bodies.ts";

/** How a request differs from a good one. */
export interface Shape {
  readonly line?: string;
  readonly host?: string;
  /** In place of the right `content-length`. */
  readonly length?: string;
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
  readonly key?: string | undefined;
}

export type SmugglingCase = readonly [name: string, shape: Shape, status?: number];

const chunked = "transfer-encoding: chunked";
/** Heads that are refused, by default with 400: smuggling, confusion, excess. */
export const smuggling: readonly SmugglingCase[] = [
  ["length and chunked", { headers: [chunked] }],
  ["two lengths that differ", { headers: ["content-length: 3"] }],
  ["two lengths that agree", { headers: [`content-length: ${good.length}`] }],
  ["a list of lengths", { length: "content-length: 5, 5" }],
  ["a signed length", { length: "content-length: +5" }],
  ["a hexadecimal length", { length: "content-length: 0x5" }],
  ["a negative length", { length: "content-length: -5" }],
  ["a length beyond 64 bits", { length: "content-length: 18446744073709551617" }],
  ["an unknown coding", { length: "transfer-encoding: xchunked" }, 501],
  ["a coding behind chunked", { length: "transfer-encoding: chunked, identity" }],
  ["a coding before chunked", { length: "transfer-encoding: gzip, chunked", body: "0\r\n\r\n" }, 501],
  ["chunked in HTTP/1.0", { line: "POST /v1/chat/completions HTTP/1.0", length: chunked, body: "0\r\n\r\n" }],
  ["chunked with an odd size", { length: chunked, body: "+5\r\nhello\r\n0\r\n\r\n" }],
  ["chunked with a size of no number", { length: chunked, body: "zz\r\nhello\r\n0\r\n\r\n" }],
  ["a folded header", { headers: ["x-a: b\r\n c"] }],
  ["a space before the colon", { headers: ["x-a : b"] }],
  ["a bare line feed in the head", { headers: ["x-a: b\nx-b: c"] }],
  ["a bare carriage return in a value", { headers: ["x-a: b\rc"] }],
  ["a zero byte in a value", { headers: ["x-a: b\0c"] }],
  ["a zero byte in a name", { headers: ["x\0a: b"] }],
  ["two hosts", { headers: ["host: other"] }],
  ["no host", { host: "" }],
  ["an empty host", { host: "host: " }],
  ["a host with a path", { host: "host: x/#@evil" }],
  ["a host with a user", { host: "host: user@evil" }],
  ["a host with a query", { host: "host: x?y" }],
  ["an absolute target", { line: "POST http://evil/v1/chat/completions HTTP/1.1" }],
  ["an authority as target", { line: "CONNECT evil:443 HTTP/1.1" }],
  ["a GET with a body", { line: "GET /v1/models HTTP/1.1" }],
  ["a HEAD with a body", { line: "HEAD /v1/models HTTP/1.1" }],
  ["two authorizations", { headers: ["authorization: Bearer other"] }],
  ["another key in another header", { headers: ["x-api-key: other"] }],
  ["more headers than anybody needs", { headers: Array.from({ length: 101 }, (_, at) => `x-${at}: v`) }, 431],
  ["a header beyond every bound", { headers: [`x-a: ${"v".repeat(40_000)}`] }, 431],
  ["no HTTP", { line: "\x16\x03\x01\x02\x00" }],
];
