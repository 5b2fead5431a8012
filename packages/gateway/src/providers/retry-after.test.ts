import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxRetryAfterMs, retryAfterMs } from "./retry-after.ts";

const wallMs = Date.parse("2026-11-21T12:00:00Z");
const wait = (headers: Record<string, string>) => retryAfterMs({ headers, wallMs });

describe("retryAfterMs", () => {
  it.each([
    ["0", 0],
    ["7", 7000],
    [" 7 ", 7000],
    ["1.5", 1500],
    ["0.0001", 1],
    ["299", 299_000],
    ["301", maxRetryAfterMs],
    ["1e12", maxRetryAfterMs],
    ["99999999999999999", maxRetryAfterMs],
    ["-1", undefined],
    ["NaN", undefined],
    ["Infinity", undefined],
    ["soon", undefined],
    ["", undefined],
    ["2m", 120_000],
    ["Sat, 21 Nov 2026 12:00:20 GMT", 20_000],
    ["Saturday, 21-Nov-26 12:00:20 GMT", 20_000],
    ["Sat Nov 21 12:00:20 2026", 20_000],
    ["Fri, 20 Nov 2026 12:00:00 GMT", 0],
    ["Sat, 21 Nov 2027 12:00:00 GMT", maxRetryAfterMs],
    ["Sat, 99 Nov 2026 99:00:00 GMT", undefined],
    ["2026-11-21", undefined],
  ])("reads retry-after: %s", (text, expected) => {
    expect(wait({ "retry-after": text })).toBe(expected);
  });

  it("takes retry-after-ms before the coarser retry-after", () => {
    expect(wait({ "retry-after-ms": "250", "retry-after": "1" })).toBe(250);
    expect(wait({ "retry-after-ms": "-3", "retry-after": "1" })).toBe(1000);
  });

  it.each([
    ["6ms", 6],
    ["1m30.5s", 90_500],
    ["1h2m3s", maxRetryAfterMs],
    ["59.56s", 59_560],
    ["120", 120_000],
    ["1795262430", 30_000],
    ["1795262430000", 30_000],
    ["2026-11-21T12:00:30Z", 30_000],
    ["2026-11-21T13:00:30+01:00", 30_000],
    ["2026-11-21T11:00:00Z", 0],
    ["1x", undefined],
    ["m", undefined],
    ["1m30.5s".repeat(20), undefined],
  ])("reads a reset time: %s", (text, expected) => {
    expect(wait({ "x-ratelimit-reset-requests": text })).toBe(expected);
    expect(wait({ "anthropic-ratelimit-input-tokens-reset": text })).toBe(expected);
  });

  it("waits for the exhausted limit, not for the others", () => {
    const headers = {
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "2s",
      "x-ratelimit-remaining-tokens": "500",
      "x-ratelimit-reset-tokens": "4m",
    };
    expect(wait(headers)).toBe(2000);
    expect(wait({ ...headers, "x-ratelimit-remaining-tokens": "0" })).toBe(240_000);
  });

  it("takes the soonest reset where no limit is marked exhausted", () => {
    expect(wait({ "x-ratelimit-reset-requests": "8m", "x-ratelimit-reset-tokens": "3s" })).toBe(3000);
  });

  it("reads Google's retryDelay and the wait that is told in words only", () => {
    expect(retryAfterMs({ headers: {}, wallMs, retryDelay: "34.4s" })).toBe(34_400);
    expect(retryAfterMs({ headers: {}, wallMs, message: "Please try again in 1m30.5s. Visit" })).toBe(90_500);
    expect(retryAfterMs({ headers: {}, wallMs, message: "Please try again in a moment." })).toBeUndefined();
  });

  it("is undefined without any hint", () => {
    expect(wait({ "content-type": "application/json" })).toBeUndefined();
  });

  it("gives whole milliseconds within 0..300,000 or nothing, whatever is sent", () => {
    const names = fc.constantFrom(
      "retry-after",
      "retry-after-ms",
      "x-ratelimit-reset",
      "anthropic-ratelimit-tokens-reset",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(fc.dictionary(names, texts), fc.string(), fc.double(), (headers, retryDelay, wall) => {
        const ms = retryAfterMs({ headers, retryDelay, wallMs: wall });
        if (ms === undefined) return;
        expect(Number.isInteger(ms) && ms >= 0 && ms <= maxRetryAfterMs).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
