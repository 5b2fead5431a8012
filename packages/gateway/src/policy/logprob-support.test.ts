import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import { LogprobSupport, refusesLogprobs } from "./logprob-support.ts";

describe("refusesLogprobs", () => {
  it.each([
    "Logprobs is not enabled for models/gemini-2.5-flash",
    "Unable to submit request because Logprobs is not supported for this model.",
    "This model does not support the 'logprobs' parameter.",
    "Unrecognized request argument supplied: top_logprobs",
    'Invalid JSON payload received. Unknown name "responseLogprobs" at generation_config',
    "log_probs must be false",
    "This model cannot return log probabilities.",
    "You are not allowed to request logprobs from this model",
  ])("hears it in: %s", (message) => {
    for (const status of [400, 403, 422]) {
      expect(refusesLogprobs(failure("upstream_rejected", message, { upstream: { status } }))).toBe(true);
    }
    expect(refusesLogprobs(failure("rate_limited", message, { upstream: { status: 429 } }))).toBe(false);
    expect(refusesLogprobs(failure("invalid_request", message))).toBe(false);
  });

  it("hears it in the field and the code that are named", () => {
    const upstream = { status: 400 };
    expect(refusesLogprobs(failure("upstream_rejected", "No.", { upstream, param: "logprobs" }))).toBe(true);
    expect(refusesLogprobs(failure("upstream_rejected", "No.", { upstream: { status: 422, code: "logprobs" } }))).toBe(
      true,
    );
    expect(refusesLogprobs(failure("upstream_rejected", "No.", { upstream, param: "temperature" }))).toBe(false);
  });
});

describe("LogprobSupport", () => {
  it("remembers a refusal for a day", () => {
    const support = new LogprobSupport();
    const day = 24 * 3_600_000;
    expect(support.mayAsk("a/m", 0)).toBe(true);
    support.refused("a/m", 10);
    expect([support.mayAsk("a/m", 10), support.mayAsk("a/m", day + 9), support.mayAsk("b/m", 10)]).toEqual([
      false,
      false,
      true,
    ]);
    expect([support.mayAsk("a/m", day + 10), support.mayAsk("a/m", 10)]).toEqual([true, true]);
  });

  it("forgets what it has known longest, and no more than it has to", () => {
    const support = new LogprobSupport();
    for (let at = 0; at < 1000; at += 1) support.refused(`p/${at}`, 0);
    support.refused("p/0", 1);
    support.refused("p/1000", 1);
    const asked = ["p/0", "p/1", "p/2", "p/999", "p/1000"].map((target) => support.mayAsk(target, 2));
    expect(asked).toEqual([false, true, false, false, false]);
  });
});
