import { describe, expect, it } from "vitest";
import type { EncodeTarget } from "#dialects/dialect";
import { familyOf, novaReasons, takesTextFormat } from "./model-family.ts";

function known(name: string, structuredOutput?: boolean): NonNullable<EncodeTarget["traits"]> {
  const capabilities = structuredOutput === undefined ? {} : { structuredOutput };
  return { name, capabilities, from: { source: "s", date: "2026-11-21" } };
}

describe("a model's family", () => {
  it.each([
    ["anthropic.claude-sonnet-4-5-20250929-v1:0", "claude"],
    ["eu.anthropic.claude-opus-5", "claude"],
    ["amazon.nova-pro-v1:0", "nova"],
    ["us.amazon.nova-2-lite-v1:0", "nova"],
    ["mistral.mistral-large-2407-v1:0", "mistral"],
    ["us.mistral.pixtral-large-2502-v1:0", "mistral"],
    ["openai.gpt-oss-120b-1:0", "gpt"],
    ["meta.llama3-3-70b-instruct-v1:0", "other"],
    ["deepseek.r1-v1:0", "other"],
    ["amazon.titan-text-express-v1", "other"],
    ["casanova-1", "other"],
  ])("of %s is %s", (model, id) => {
    expect(familyOf({ model }).id).toBe(id);
  });

  it("is what the catalogue knows where an ARN does not say it", () => {
    const model = "arn:aws:bedrock:eu-central-1:1:application-inference-profile/abc";
    expect(familyOf({ model }).id).toBe("other");
    expect(familyOf({ model, traits: known("amazon/nova-2-lite") }).id).toBe("nova");
    expect(novaReasons({ model, traits: known("amazon/nova-2-lite") })).toBe(true);
    expect(novaReasons({ model: "amazon.nova-pro-v1:0" })).toBe(false);
  });

  it.each([
    ["anthropic.claude-sonnet-4-5-v1:0", true],
    ["anthropic.claude-sonnet-4-20250514-v1:0", false],
    ["anthropic.claude-3-5-haiku-20241022-v1:0", false],
    ["anthropic.claude-opus-5", false],
    ["anthropic.claude-fable-5", true],
    ["amazon.nova-pro-v1:0", false],
    ["qwen.qwen3-coder-30b-a3b-v1:0", true],
  ])("says whether %s keeps to a schema by itself: %s", (model, takes) => {
    expect(takesTextFormat({ model })).toBe(takes);
  });

  it("believes the catalogue that a model does not", () => {
    expect(takesTextFormat({ model: "qwen.qwen3", traits: known("qwen/qwen3", false) })).toBe(false);
  });
});
