import { setImmediate as turn } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import type { Failure } from "#domain/failure";
import { inflater, type Inflater } from "./inflate.ts";

interface Seen {
  readonly inflating: Inflater;
  bytes: number;
  text: string;
  ended: boolean;
  drained: number;
  failure: Failure | undefined;
}

function open(encoding: string, maxBytes = 64 * 1024 * 1024): Seen {
  const seen: Omit<Seen, "inflating"> = { bytes: 0, text: "", ended: false, drained: 0, failure: undefined };
  const inflating = inflater(encoding, maxBytes, {
    onBytes(bytes) {
      seen.bytes += bytes.length;
      if (seen.bytes < 1_000) seen.text += Buffer.from(bytes).toString("utf8");
    },
    onEnd: () => (seen.ended = true),
    onDrain: () => (seen.drained += 1),
    onFail: (failure) => (seen.failure = failure),
  });
  if (inflating === undefined) throw new Error(`no inflater for ${encoding}`);
  return Object.assign(seen, { inflating });
}

describe("inflater", () => {
  it.each([
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ])("gives back what %s packed, however it is split", async (encoding, pack) => {
    const seen = open(encoding);
    for (const byte of pack(Buffer.from("some words"))) seen.inflating.push(Uint8Array.of(byte));
    seen.inflating.end();
    await vi.waitUntil(() => seen.ended, { timeout: 10_000 });
    expect(seen).toMatchObject({ text: "some words", failure: undefined });
  });

  it("gives what has come so far without waiting for more", async () => {
    const seen = open("gzip");
    const { createGzip, constants } = await import("node:zlib");
    const packing = createGzip();
    packing.on("data", (bytes: Buffer) => seen.inflating.push(bytes));
    packing.write("first");
    packing.flush(constants.Z_SYNC_FLUSH);
    await vi.waitUntil(() => seen.text === "first", { timeout: 10_000 });
    packing.destroy();
    seen.inflating.stop();
  });

  it("knows no other encoding", () => {
    const handler = { onBytes() {}, onEnd() {}, onDrain() {}, onFail() {} };
    expect(inflater("zstd", 1, handler)).toBeUndefined();
    expect(inflater("gzip, br", 1, handler)).toBeUndefined();
  });

  it.each(["gzip", "deflate", "br"])("calls %s that breaks off truncated, and what is none bad", async (encoding) => {
    const pack = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }[encoding] ?? gzipSync;
    const cut = open(encoding);
    cut.inflating.push(pack(Buffer.from("some words of some length, and then some more")).subarray(0, -6));
    cut.inflating.end();
    await vi.waitUntil(() => cut.failure !== undefined, { timeout: 10_000 });
    expect(cut.failure?.kind).toBe("truncated_response");
    const bad = open(encoding);
    bad.inflating.push(Buffer.from('{"this":"is plain"}'));
    bad.inflating.end();
    await vi.waitUntil(() => bad.failure !== undefined, { timeout: 10_000 });
    expect(bad.failure?.kind).toBe("bad_upstream_response");
    expect(bad.ended).toBe(false);
  });

  it("stops what grows beyond the bound, or a thousandfold", async () => {
    const large = open("gzip", 100_000);
    large.inflating.push(gzipSync(Buffer.alloc(200_000)));
    await vi.waitUntil(() => large.failure !== undefined, { timeout: 10_000 });
    expect(large.bytes).toBeLessThanOrEqual(100_000);
    const bomb = open("br");
    bomb.inflating.push(brotliCompressSync(Buffer.alloc(50 * 1024 * 1024)));
    await vi.waitUntil(() => bomb.failure !== undefined, { timeout: 10_000 });
    expect(bomb.bytes).toBeLessThan(3 * 1024 * 1024);
  });

  it("asks to stop while it has more than it can unpack, and says when it can take more", async () => {
    const seen = open("gzip");
    const packed = gzipSync(Buffer.alloc(4 * 1024 * 1024, "no repetition here"), { level: 0 });
    let stopped = 0;
    for (let at = 0; at < packed.length; at += 64 * 1024) {
      if (!seen.inflating.push(packed.subarray(at, at + 64 * 1024))) stopped += 1;
    }
    expect(stopped).toBeGreaterThan(0);
    await vi.waitUntil(() => seen.drained > 0, { timeout: 10_000 });
    seen.inflating.end();
    await vi.waitUntil(() => seen.ended, { timeout: 10_000 });
    expect(seen.bytes).toBe(4 * 1024 * 1024);
  });

  it("is silent after it was stopped", async () => {
    const seen = open("gzip");
    seen.inflating.push(gzipSync("some words"));
    seen.inflating.stop();
    seen.inflating.push(Buffer.from("more"));
    seen.inflating.end();
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(seen).toMatchObject({ bytes: 0, ended: false, failure: undefined });
  });
});
