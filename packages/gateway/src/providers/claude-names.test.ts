import { expect, it } from "vitest";
import { hasSecondVersion, isClaude } from "./claude-names.ts";

it.each([
  ["claude-opus-5", true],
  ["anthropic.claude-opus-4-7-v1:0", true],
  ["us.anthropic.claude-sonnet-5", true],
  ["arn:aws:bedrock:us-east-1:1:inference-profile/global.anthropic.claude-fable-5-1", true],
  ["claude-opus-4-6", false],
  ["claude-opus-4-6@20260205", false],
  ["claude-haiku-4-5@20251001", false],
  ["anthropic.claude-opus-4-20250514-v1:0", false],
  ["claude-3-5-sonnet-v2@20241022", false],
  ["claude-10-opus", false],
])("knows whether a host has the second version of the API for %s: %s", (model, has) => {
  expect(isClaude(model)).toBe(true);
  expect(hasSecondVersion(model)).toBe(has);
});

it.each(["gemini-3.5-flash", "meta/llama-4", "claudette-7b", "amazon.nova-pro-v1:0"])("%s is no Claude", (model) =>
  expect(isClaude(model)).toBe(false),
);
