import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { looksLikeHtml, sanitiseMessage } from "./sanitise-message.ts";

const word = (chars: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...chars.split("")), minLength, maxLength });
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Things that must not be shown, in the shapes their issuers give them. */
const secrets = fc.oneof(
  word(letters, 20, 48).map((body) => `sk-${body}`),
  word(letters, 20, 90).map((body) => `sk-ant-api03-${body}`),
  word(letters, 20, 90).map((body) => `sk-proj-${body}`),
  word(letters, 30, 80).map((body) => `xai-${body}`),
  word(letters, 30, 52).map((body) => `gsk_${body}`),
  word(letters, 35, 35).map((body) => `AIza${body}`),
  word(letters, 20, 40).map((body) => `hf_${body}`),
  word(letters, 20, 40).map((body) => `Bearer ${body}`),
  word(letters, 2, 8).map((ends) => `${ends}************${ends}`),
  fc.uuid(),
  word(letters, 8, 24).map((body) => `org-${body}`),
  word("0123456789", 12, 12),
  fc.webUrl().map((url) => `${url}/v1?key=abcdef`),
  fc.ipV4().map((address) => `${address}:8080`),
  word("abcdef0123456789", 40, 64).map((hex) => `a1${hex}`),
);

describe("sanitiseMessage", () => {
  it("lets a plain message through unchanged", () => {
    for (const message of [
      "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
      "messages.0.content.1.tool_use.id: String should match pattern",
      "prompt is too long: 210000 tokens > 200000 maximum",
      "The model `meta-llama/llama-4-maverick-17b-128e-instruct` does not exist",
      "model: claude-3-5-sonnet-20241022",
      "Invalid schema for function 'get_weather': In context=('properties', 'city'), 'minLength' is not permitted.",
      "Das Modell ist überlastet, bitte später.",
    ]) {
      expect(sanitiseMessage(message)).toBe(message);
    }
  });

  it.each([
    ["Incorrect API key provided: sk-abcde***********wxyz. You can find it.", /sk-abcde|wxyz/],
    ["Incorrect API key provided: sk-ab...yz12.", /sk-ab|yz12/],
    ["Rate limit in organization org-x1y2z3a4 on tokens", /x1y2z3a4/],
    ["Your team 16f2151a-40f4-4a80-8ad0-cae00c27e8dd has no credits", /16f2151a/],
    ["see https://internal.example/v1?key=secret for more", /internal|secret/],
    ["head to platform.openai.com/account/billing now", /openai\.com/],
    ["connect to 10.2.3.4:9000 refused", /10\.2\.3\.4/],
    ["dial tcp [fd00:1:2:3::4]:443 failed", /fd00/],
    ["write to ops@example.com please", /ops@/],
    ["arn:aws:bedrock:us-east-1:123456789012:model denied", /123456789012/],
    ["Project 987654321098 has no access", /987654321098/],
    ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abc expired", /eyJ/],
  ])("takes what is nobody's business out of: %s", (message, secret) => {
    const shown = sanitiseMessage(message);
    expect(shown).toContain("[removed]");
    expect(shown).not.toMatch(secret);
  });

  it("never forwards a page, and strips tags from a text", () => {
    expect(sanitiseMessage("<!DOCTYPE html><html><body>x</body></html>")).toBeUndefined();
    expect(sanitiseMessage("  <html>x")).toBeUndefined();
    expect(sanitiseMessage("bad <b>field</b> <script src=x>")).toBe("bad field");
    expect(looksLikeHtml('{"a":"<"}')).toBe(false);
  });

  it("is undefined where nothing showable is left", () => {
    for (const text of ["", "   ", "\u0000\u0007", "sk-abcdefghijklmnop", "https://example.com/x", "...!"]) {
      expect(sanitiseMessage(text)).toBeUndefined();
    }
  });

  it("cuts at 500 characters without breaking one", () => {
    const shown = sanitiseMessage(`${"word ".repeat(99)}abc${"😀".repeat(400)}`) ?? "";
    expect(shown.length).toBeLessThanOrEqual(500);
    expect(shown.endsWith("…")).toBe(true);
    expect(shown.isWellFormed()).toBe(true);
  });

  it("puts control characters and line breaks to rest", () => {
    expect(sanitiseMessage("a\r\nset-cookie: b\u001b[31m\u202Ec")).toBe("a set-cookie: b [31m c");
  });

  it("never shows a secret, wherever in a message it stands", () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 60 }), secrets, fc.lorem({ maxCount: 60 }), (before, secret, after) => {
        expect(sanitiseMessage(`${before} ${secret} ${after}`) ?? "").not.toContain(secret);
      }),
      { numRuns: 2000 },
    );
  });

  it("takes no longer for a text that is made to be slow", () => {
    const traps = [
      "a.".repeat(32_000),
      "-".repeat(64_000),
      "a@".repeat(32_000),
      "1:".repeat(32_000),
      `${"a".repeat(64_000)}!`,
    ];
    for (const trap of [
      ...traps,
      "sk-".repeat(20_000),
      "<a ".repeat(20_000),
      "account ".repeat(8000),
      "*".repeat(64_000),
    ]) {
      const startedAt = performance.now();
      sanitiseMessage(trap);
      sanitiseMessage(`${trap.slice(0, 2000)} ${trap}`);
      expect(performance.now() - startedAt).toBeLessThan(1000);
    }
  });
});
