import { describe, expect, it } from "vitest";
import { failure } from "#domain/failure";
import type { Attempt } from "#domain/plan";
import { speedSample } from "./speed-sample.ts";

const usage = { inputUncached: 1, cacheRead: 0, cacheWrite: 0, cacheWriteLong: 0, output: 90, reasoning: 10 };
const attempt = (more: Partial<Attempt>): Attempt => ({
  target: { id: "a/m", provider: "a", model: "m", lastResort: false },
  credential: "a#1",
  startedAtMs: 1000,
  firstContentAtMs: 1300,
  endedAtMs: 3300,
  outcome: { kind: "answered", finish: { reason: "stop" }, usage: { ...usage, estimated: false } },
  ...more,
});

describe("speedSample", () => {
  it("is the wait for content, and the rate of what was reported after it", () => {
    expect(speedSample(attempt({}))).toEqual({ firstContentMs: 300, tokensPerS: 50 });
  });

  it("has no rate where the count is our own, or all came at once", () => {
    const estimated = { kind: "answered", finish: { reason: "stop" }, usage: { ...usage, estimated: true } } as const;
    expect(speedSample(attempt({ outcome: estimated }))).toEqual({ firstContentMs: 300 });
    expect(speedSample(attempt({ endedAtMs: 1310 }))).toEqual({ firstContentMs: 300 });
  });

  it("counts a wait that was given up, and no failure that came at once", () => {
    const failed = (kind: "first_content_timeout" | "upstream_failed") => {
      const { firstContentAtMs: _none, ...rest } = attempt({
        outcome: { kind: "failed", failure: failure(kind, "x") },
      });
      return speedSample(rest);
    };
    expect(failed("first_content_timeout")).toEqual({ firstContentMs: 2300 });
    expect(failed("upstream_failed")).toBeUndefined();
  });
});
