import { describe, expect, it } from "vitest";
import type { Usage } from "#domain/usage";
import { UsageCounter } from "./usage-fields.ts";

const counts = { promptTokenCount: 10, candidatesTokenCount: 4, totalTokenCount: 14 };

describe("usageMetadata", () => {
  const usageOf = (...reports: readonly object[]): Usage | undefined => {
    const counter = new UsageCounter();
    return reports.reduce<Usage | undefined>((usage, report) => counter.report(report) ?? usage, undefined);
  };

  it("counts thoughts beside the candidates, cached tokens within the prompt, and tools' prompts beside it", () => {
    expect(
      usageOf({
        promptTokenCount: 100,
        cachedContentTokenCount: 60,
        toolUsePromptTokenCount: 5,
        candidatesTokenCount: 20,
        thoughtsTokenCount: 30,
        totalTokenCount: 155,
      }),
    ).toEqual({
      inputUncached: 45,
      cacheRead: 60,
      cacheWrite: 0,
      cacheWriteLong: 0,
      output: 20,
      reasoning: 30,
      estimated: false,
    });
  });

  it("is a total so far: later reports replace, and leave out, and none is added", () => {
    expect(usageOf(counts, { promptTokenCount: 10 }, { promptTokenCount: 10, candidatesTokenCount: 12 })).toMatchObject(
      {
        inputUncached: 10,
        output: 12,
      },
    );
  });

  it("tells heard and spoken tokens apart", () => {
    expect(
      usageOf({
        promptTokenCount: 50,
        promptTokensDetails: [
          { modality: "TEXT", tokenCount: 10 },
          { modality: "AUDIO", tokenCount: 40 },
        ],
        cachedContentTokenCount: 15,
        cacheTokensDetails: [{ modality: "AUDIO", tokenCount: 15 }],
        candidatesTokenCount: 30,
        candidatesTokensDetails: [{ modality: "AUDIO", tokenCount: 25 }],
      }),
    ).toMatchObject({ inputUncached: 10, inputAudio: 25, cacheRead: 15, output: 5, outputAudio: 25 });
  });

  it.each([
    [{ trafficType: "ON_DEMAND_PRIORITY" }, "priority"],
    [{ serviceTier: "flex" }, "flex"],
    [{ trafficType: "ON_DEMAND" }, undefined],
    [{ serviceTier: "standard" }, undefined],
  ])("of %o names the tier %s", (said, serviceTier) => {
    expect(usageOf({ ...counts, ...said })).toMatchObject(serviceTier === undefined ? { output: 4 } : { serviceTier });
    expect(Object.hasOwn(usageOf({ ...counts, ...said }) as object, "serviceTier")).toBe(serviceTier !== undefined);
  });

  it("that was not reported is unknown", () => {
    expect(usageOf({})).toBeUndefined();
  });
});
