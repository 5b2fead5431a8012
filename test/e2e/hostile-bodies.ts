import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";

const mebibyte = 1024 * 1024;
/** A plain call, as every hostile one would like to look. */
export const good = JSON.stringify({ model: "main", messages: [{ role: "user", content: "hi" }] });

function nested(depth: number): string {
  return `{"model":"main","messages":${"[".repeat(depth)}${"]".repeat(depth)}}`;
}

export type BodyCase = readonly [
  name: string,
  make: () => string | Uint8Array,
  status: number,
  headers?: readonly string[],
];

/** Bodies that are refused, with the status they are refused with, where at most 12 MiB are read. */
export const bodies: readonly BodyCase[] = [
  ["nothing", () => "", 400],
  ["no JSON", () => "hello", 400],
  ["an array", () => "[]", 400],
  ["JSON and more", () => `${good}{}`, 400],
  ["a byte order mark", () => `\ufeff${good}`, 400],
  ["UTF-16", () => Buffer.from(good, "utf16le"), 400],
  ["a depth just beyond the limit", () => nested(100), 400],
  ["a depth of 10,000", () => nested(10_000), 400],
  ["a depth of 5 million", () => nested(5_000_000), 400],
  ["an object in an object, a million times", () => `{"model":"main","x":${'{"a":'.repeat(1_000_000)}`, 400],
  ["a million keys", () => `{${Array.from({ length: 1_000_000 }, (_, at) => `"k${at}":1`).join(",")}}`, 400],
  ["three million objects", () => `{"model":"main","x":[${"{},".repeat(3_000_000)}{}]}`, 400],
  ["ten million digits", () => `{"model":"main","messages":[],"seed":1${"0".repeat(10_000_000)}`, 400],
  ["a string that never ends", () => `{"model":"${"a".repeat(10_000_000)}`, 400],
  ["backslashes without end", () => `{"model":"${"\\\\".repeat(5_000_000)}`, 400],
  ["white space without end", () => `{${" ".repeat(10_000_000)}`, 400],
  ["the model twice", () => `{"model":"main","model":"p1/other","messages":[]}`, 400],
  ["the model twice, once escaped", () => `{"model":"main","\\u006dodel":"p1/other","messages":[]}`, 400],
  ["our options twice", () => `{"model":"main","messages":[],"hedgerow":{},"hedgerow":{"route":"x"}}`, 400],
  ["a model of another type", () => `{"model":{"name":"main"},"messages":[]}`, 400],
  ["stream as a string", () => `{"model":"main","messages":[],"stream":"true"}`, 400],
  ["a negative deadline", () => `{"model":"main","messages":[],"hedgerow":{"timeout_ms":-1}}`, 400],
  ["a deadline of no number", () => `{"model":"main","messages":[],"hedgerow":{"timeout_ms":"1e99"}}`, 400],
  ["options nobody knows", () => `{"model":"main","messages":[],"hedgerow":{"is_admin":true}}`, 400],
  ["a prototype as options", () => `{"model":"main","messages":[],"hedgerow":{"__proto__":{"route":"x"}}}`, 400],
  ["more than the limit, as announced", () => Buffer.alloc(13 * mebibyte, " "), 413],
  ["gzip that is none", () => good, 400, ["content-encoding: gzip"]],
  ["a gzip bomb", () => gzipSync(Buffer.alloc(100 * mebibyte, " ")), 413, ["content-encoding: gzip"]],
  ["gzip in gzip", () => gzipSync(gzipSync(good)), 400, ["content-encoding: gzip, gzip"]],
  ["brotli", () => brotliCompressSync(good), 400, ["content-encoding: br"]],
  ["zstd", () => zstdCompressSync(good), 400, ["content-encoding: zstd"]],
];
