import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { modelKey, undatedKey, vendorOf, withoutVariant } from "./names.ts";
import { editDistance, nearestNames } from "./nearest-names.ts";

describe("vendorOf", () => {
  it.each([
    ["gpt-5.4", "openai"],
    ["o3-mini", "openai"],
    ["gpt-oss-120b", "openai"],
    ["claude-sonnet-5", "anthropic"],
    ["grok-4.6", "xai"],
    ["x-ai/grok-4.6", "xai"],
    ["models/gemini-3.5-flash", "google"],
    ["gemma-4-31b-it", "google"],
    ["meta-llama/Llama-3.3-70B-Instruct", "meta"],
    ["llama3.2:3b", "meta"],
    ["zai-org/GLM-5.2", "zai"],
    ["zai-glm-4.7", "zai"],
    ["accounts/fireworks/models/glm-5p2", "zai"],
    ["accounts/fireworks/routers/kimi-k2p6-fast", "moonshotai"],
    ["deepseek-ai/DeepSeek-V4-Pro", "deepseek"],
    ["open-mixtral-8x22b", "mistral"],
    ["Qwen/Qwen3-32B", "qwen"],
    ["~openai/gpt-latest", "openai"],
    ["sao10k/l3-lunaris-8b", "sao10k"],
    ["my-own-model", undefined],
    ["", undefined],
  ])("of %s is %s", (name, vendor) => {
    expect(vendorOf(name)).toBe(vendor);
  });
});

describe("modelKey", () => {
  it.each([
    ["anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"],
    ["Claude-Sonnet-4-5", "claude-sonnet-4-5"],
    ["models/gemini-3.5-flash", "gemini-3-5-flash"],
    ["accounts/fireworks/models/qwen3p8-2p4t-a95b", "qwen3-8-2-4t-a95b"],
    ["zai-glm-4.7", "glm-4-7"],
    ["claude-sonnet-4@20250514", "claude-sonnet-4-20250514"],
    ["qwen3:8b", "qwen3-8b"],
  ])("of %s is %s", (name, key) => {
    expect(modelKey(name)).toBe(key);
  });

  it("loses a date or `latest` at its end only", () => {
    expect(undatedKey("claude-3-5-sonnet-20241022")).toBe("claude-3-5-sonnet");
    expect(undatedKey("gpt-4o-2024-08-06")).toBe("gpt-4o");
    expect(undatedKey("mistral-large-latest")).toBe("mistral-large");
    expect(undatedKey("gpt-4-0613")).toBe("gpt-4-0613");
    expect(undatedKey("model-19990101")).toBe("model-19990101");
  });

  it("keeps a size and loses a storefront's variant", () => {
    expect(withoutVariant("qwen/qwen3-coder:free")).toBe("qwen/qwen3-coder");
    expect(withoutVariant("qwen3:8b")).toBe("qwen3:8b");
  });
});

describe("nearestNames", () => {
  const names = [
    "xai/grok-4.6",
    "xai/grok-4.3",
    "anthropic/claude-sonnet-5",
    "anthropic/claude-opus-5",
    "openai/gpt-5.4",
  ];

  it("gives the most alike first and at most as many as asked for", () => {
    expect(nearestNames("claude-sonet-5", names)).toEqual(["anthropic/claude-sonnet-5", "anthropic/claude-opus-5"]);
    expect(nearestNames("grok-4.7", names, 1)).toEqual(["xai/grok-4.3"]);
    expect(nearestNames("gpt-5-4", names)[0]).toBe("openai/gpt-5.4");
    expect(nearestNames("grok-4.6", names, 0)).toEqual([]);
  });

  it("offers nothing that is not alike", () => {
    expect(nearestNames("text-embedding-3-large", names)).toEqual([]);
    expect(nearestNames("", names)).toEqual([]);
    expect(nearestNames("gpt", [])).toEqual([]);
  });

  it("gives up early on names that are made to be slow", () => {
    // The processor's time, not the clock's: the machine may have other things to do.
    const before = process.cpuUsage();
    nearestNames(
      "a".repeat(1_000_000),
      Array.from({ length: 5000 }, (_, index) => `${"a".repeat(100)}${index}`),
    );
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
  });

  it("measures as a distance should", () => {
    const short = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(short, short, fc.integer({ min: 0, max: 12 }), (a, b, bound) => {
        const distance = editDistance(a, b, 100);
        expect(editDistance(b, a, 100)).toBe(distance);
        expect(distance === 0).toBe(a === b);
        expect(editDistance(a, b, bound)).toBe(distance <= bound ? distance : editDistance(a, b, bound));
        expect(editDistance(a, b, bound) <= bound).toBe(distance <= bound);
      }),
    );
    expect(editDistance("kitten", "sitting", 10)).toBe(3);
  });
});
