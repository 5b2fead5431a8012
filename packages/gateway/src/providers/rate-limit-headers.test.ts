import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rateLimitsOf } from "./rate-limit-headers.ts";

const wallMs = Date.parse("2026-11-25T12:00:00Z");

describe("rateLimitsOf", () => {
  it.each<[string, Record<string, string>, readonly object[]]>([
    [
      "OpenAI and Groq: Go's durations",
      {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m30.5s",
        "x-ratelimit-limit-tokens": "30000",
        "x-ratelimit-remaining-tokens": "29999",
        "x-ratelimit-reset-tokens": "6ms",
      },
      [
        { name: "requests", limit: 500, remaining: 0, resetMs: 90_500 },
        { name: "tokens", limit: 30_000, remaining: 29_999, resetMs: 6 },
      ],
    ],
    [
      "Anthropic: dates of RFC 3339",
      {
        "anthropic-ratelimit-input-tokens-limit": "50000",
        "anthropic-ratelimit-input-tokens-remaining": "12000",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-25T12:00:42Z",
      },
      [{ name: "input-tokens", limit: 50_000, remaining: 12_000, resetMs: 42_000 }],
    ],
    [
      "OpenRouter: milliseconds since 1970, no name",
      { "x-ratelimit-limit": "20", "x-ratelimit-remaining": "3", "x-ratelimit-reset": String(wallMs + 7_000) },
      [{ name: "requests", limit: 20, remaining: 3, resetMs: 7_000 }],
    ],
    [
      "seconds since 1970",
      { "x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": String(wallMs / 1000 + 9) },
      [{ name: "requests", remaining: 1, resetMs: 9_000 }],
    ],
    [
      "seconds from now, of a day's limit: five minutes at most",
      { "x-ratelimit-remaining-requests-day": "0", "x-ratelimit-reset-requests-day": "33011.382867" },
      [{ name: "requests-day", remaining: 0, resetMs: 300_000 }],
    ],
    [
      "the draft of the IETF",
      { "ratelimit-remaining": "0", "ratelimit-reset": "30" },
      [{ name: "requests", remaining: 0, resetMs: 30_000 }],
    ],
    ["no time of a reset", { "x-ratelimit-remaining-requests": "0" }, []],
    [
      "a reset that has passed",
      { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2026-11-25T11:59:00Z" },
      [],
    ],
    ["nonsense", { "x-ratelimit-remaining-requests": "few", "x-ratelimit-reset-requests": "soon" }, []],
    ["something else", { "content-type": "application/json", "x-remaining-budget": "3" }, []],
  ])("reads %s", (_what, headers, limits) => {
    expect(rateLimitsOf(headers, wallMs)).toEqual(limits);
  });

  it("gives back any duration it is told, in each of its forms, to a millisecond", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300_000 }), fc.nat(1_000_000), (ms, remaining) => {
        const forms = [
          `${Math.floor(ms / 60_000)}m${(ms % 60_000) / 1000}s`,
          `${ms}ms`,
          String(ms / 1000),
          String(wallMs + ms),
          new Date(wallMs + ms).toISOString(),
        ];
        for (const reset of forms) {
          const headers = { "x-ratelimit-remaining-requests": String(remaining), "x-ratelimit-reset-requests": reset };
          const [limit] = rateLimitsOf(headers, wallMs);
          expect(limit?.remaining).toBe(remaining);
          expect(Math.abs((limit?.resetMs ?? 0) - ms)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("never throws, and gives bounded numbers only, whatever headers hold", () => {
    const name = fc.oneof(
      fc.constantFrom(
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
        "anthropic-ratelimit-tokens-remaining",
        "anthropic-ratelimit-tokens-reset",
        "x-ratelimit-limit-requests",
        "__proto__",
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.oneof(fc.string(), fc.double().map(String), fc.date().map(String))),
        fc.double(),
        (headers, wall) => {
          for (const { remaining, resetMs, limit = 0 } of rateLimitsOf(headers, wall)) {
            expect(remaining).toBeGreaterThanOrEqual(0);
            expect(limit).toBeGreaterThanOrEqual(0);
            expect(resetMs).toBeGreaterThan(0);
            expect(resetMs).toBeLessThanOrEqual(300_000);
          }
        },
      ),
    );
  });
});
