import { describe, expect, it } from "vitest";
import { errorFromEvent, errorFromReply } from "./error-from-reply.ts";
import { HedgerowError, ManualInterventionRequired, RateLimited, UpstreamFailed } from "./errors.ts";

function reply(status: number, error: unknown, headers: Record<string, string> = {}) {
  return { status, headers: new Headers(headers), body: JSON.stringify({ error }) };
}

function coded(code: string) {
  return { message: "why", type: "error", param: null, code, metadata: { code, request_id: "req_1" } };
}

/** What a proxy between us and the gateway would say. */
function page(status: number) {
  return { status, headers: new Headers(), body: "<html>oops</html>" };
}

function waitMs(headers: Record<string, string>): number | undefined {
  return errorFromReply(reply(429, coded("rate_limited"), headers)).retryAfterMs;
}

describe("errorFromReply", () => {
  it.each([
    [400, "invalid_request", "InvalidRequest"],
    [400, "context_length_exceeded", "InvalidRequest"],
    [400, "content_filter", "InvalidRequest"],
    [401, "unauthenticated", "Unauthenticated"],
    [402, "budget_exceeded", "BudgetExceeded"],
    [403, "forbidden", "Forbidden"],
    [404, "model_not_found", "ModelNotFound"],
    [404, "not_found", "InvalidRequest"],
    [405, "method_not_allowed", "InvalidRequest"],
    [408, "request_timeout", "TimedOut"],
    [413, "request_too_large", "InvalidRequest"],
    [422, "low_confidence", "ManualInterventionRequired"],
    [429, "rate_limited", "RateLimited"],
    [500, "internal_error", "HedgerowError"],
    [502, "upstream_error", "UpstreamFailed"],
    [502, "upstream_truncated", "Truncated"],
    [503, "no_capacity", "NoCapacity"],
    [503, "overloaded", "NoCapacity"],
    [503, "draining", "NoCapacity"],
    [504, "upstream_timeout", "UpstreamTimeout"],
  ])("turns status %i with code %s into %s", (status, code, name) => {
    const error = errorFromReply(reply(status, coded(code)));
    expect(error).toMatchObject({ name, code, status, message: "why", requestId: "req_1" });
    expect(error).toBeInstanceOf(HedgerowError);
  });

  it("falls back on the status where the reply is not the gateway's", () => {
    expect([401, 429, 502, 503, 504, 418, 500].map((status) => errorFromReply(page(status)).name)).toEqual([
      "Unauthenticated",
      "RateLimited",
      "UpstreamFailed",
      "NoCapacity",
      "UpstreamTimeout",
      "InvalidRequest",
      "HedgerowError",
    ]);
    const error = errorFromReply(page(502));
    expect(error).toMatchObject({ code: "http_502", retryable: false, attempts: [] });
    expect(error.message).not.toContain("oops");
  });

  it("carries the attempts and the review", () => {
    const attempts = [{ target: "xai/grok", failure: "upstream_overloaded", status: 503, ms: 12 }, "odd", {}];
    const metadata = { code: "low_confidence", attempts, review_id: "rev_7", best_answer: "42" };
    const error = errorFromReply(reply(422, { message: "manual intervention is required", metadata }));
    expect(ManualInterventionRequired.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ reviewId: "rev_7", bestAnswer: "42" });
    expect(error.attempts).toEqual([attempts[0], { target: "unknown", failure: "unknown" }]);
  });

  it("believes x-should-retry before the body", () => {
    const error = { message: "later", metadata: { code: "rate_limited", retryable: true } };
    expect(errorFromReply(reply(429, error)).retryable).toBe(true);
    expect(errorFromReply(reply(429, error, { "x-should-retry": "false" })).retryable).toBe(false);
    expect(errorFromReply(reply(429, coded("rate_limited"), { "x-should-retry": "true" })).retryable).toBe(true);
  });

  it("reads every form of retry-after", () => {
    expect(waitMs({ "retry-after-ms": "120", "retry-after": "9" })).toBe(120);
    expect(waitMs({ "retry-after": "1.5" })).toBe(1500);
    expect(waitMs({ "retry-after": new Date(0).toUTCString() })).toBe(0);
    expect(waitMs({ "retry-after": "soon" })).toBeUndefined();
    expect(waitMs({})).toBeUndefined();
  });
});

describe("errorFromEvent", () => {
  it("is silent on an ordinary chunk", () => {
    expect(errorFromEvent({ choices: [], error: null }, { requestId: undefined, partialText: "" })).toBeUndefined();
  });

  it("keeps the inner code and what came before", () => {
    const event = { error: { message: "busy", metadata: { code: "overloaded", retryable: true } } };
    const error = errorFromEvent(event, { requestId: "req_2", partialText: "Hel" });
    expect(error).toMatchObject({
      name: "Truncated",
      code: "overloaded",
      retryable: true,
      requestId: "req_2",
      partialText: "Hel",
      status: undefined,
    });
  });
});

describe("isInstance", () => {
  it("knows errors of another copy of this package, by class", () => {
    const foreign = Object.assign(new Error("x"), { [Symbol.for("@hedgerow/client/error")]: "RateLimited" });
    expect(HedgerowError.isInstance(foreign)).toBe(true);
    expect(RateLimited.isInstance(foreign)).toBe(true);
    expect(UpstreamFailed.isInstance(foreign)).toBe(false);
  });

  it("knows nothing else", () => {
    for (const value of [undefined, null, "RateLimited", new Error("x"), {}]) {
      expect(HedgerowError.isInstance(value)).toBe(false);
    }
  });
});
