import { describe, expect, it } from "vitest";
import { isForeignClaudeSeal } from "./claude-seals.ts";

const traits = { name: "vendor/other", capabilities: {}, from: { source: "test", date: "2026-11-25" } };
const other = { issuer: "globex", traits };

/** As recorded: one long field and a short one behind it. */
function sealOf(length: number, ...behind: readonly number[]): string {
  const varint = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.from([0x12, ...varint, ...Array.from({ length }, (_, at) => (at * 37) & 0xff), ...behind]).toString(
    "base64",
  );
}

describe("Anthropic's bare seals", () => {
  it("are for nobody who is known to be another vendor", () => {
    expect(isForeignClaudeSeal(sealOf(90), other)).toBe(true);
    expect(isForeignClaudeSeal(sealOf(472, 0x18, 0x01), other)).toBe(true);
  });

  it("stay where the target is Anthropic's, or may be", () => {
    expect(isForeignClaudeSeal(sealOf(90), { issuer: "anthropic", traits })).toBe(false);
    expect(isForeignClaudeSeal(sealOf(90), { issuer: "globex" })).toBe(false);
  });

  it.each([
    ["a UUID", "0b824fe9-3250-2588-0bbf-081000000000000000000000"],
    ["a digest", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ["a message with bytes left over", sealOf(90, 0x18)],
    [
      "a message of many short fields",
      Buffer.from(Array.from({ length: 20 }, () => [0x08, 0x01]).flat()).toString("base64"),
    ],
    ["something short", sealOf(8)],
    ["the gateway's own mark", `hedgerow:acme:${sealOf(90)}`],
    ["nothing", ""],
  ])("are not seen in %s", (_what, value) => {
    expect(isForeignClaudeSeal(value, other)).toBe(false);
  });
});
