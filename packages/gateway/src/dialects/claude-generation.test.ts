import { describe, expect, it } from "vitest";
import { generationOf } from "./claude-generation.ts";

describe("generationOf", () => {
  it("reads what a model takes from its name, whatever stands around it", () => {
    expect(generationOf("claude-fable-5")).toMatchObject({ adaptive: true, budget: false, sampling: false });
    expect(generationOf("claude-haiku-4-5-20251001")).toMatchObject({
      adaptive: false,
      budget: true,
      sampling: true,
      bothSampling: false,
    });
    expect(generationOf("anthropic/claude-opus-4.7")).toMatchObject({
      adaptive: true,
      budget: false,
      sampling: false,
      xhigh: true,
    });
    expect(generationOf("claude-3-7-sonnet@20250219")).toMatchObject({ budget: true, sampling: true });
    expect(generationOf("claude-2.1")).toMatchObject({ budget: false, adaptive: false });
  });
});
