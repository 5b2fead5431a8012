import { crc32 as crc32OfNode } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "./crc32.ts";

describe("crc32", () => {
  it("gives the check value every catalogue of checksums lists", () => {
    expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });

  it("gives what zlib gives, for any part of any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (bytes, from, length) => {
        expect(crc32(bytes, from, Math.min(from + length, bytes.length))).toBe(
          crc32OfNode(bytes.subarray(from, from + length)),
        );
      }),
    );
  });
});
