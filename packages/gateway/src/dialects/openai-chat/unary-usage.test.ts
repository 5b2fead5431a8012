import { describe, expect, it } from "vitest";
import { emptyUsage } from "#domain/usage";
import { readUnaryUsage } from "./unary-usage.ts";

describe("usage of embeddings, rankings and moderations", () => {
  it.each([
    ["OpenAI", { usage: { prompt_tokens: 7, total_tokens: 7 } }],
    ["Jina and vLLM", { usage: { total_tokens: 7 } }],
    ["Cohere's compatible address", { meta: { tokens: { input_tokens: 7 } } }],
    ["Cohere's bill", { meta: { billed_units: { input_tokens: 7, search_units: 1 } } }],
  ])("is all input, as %s reports it", (_who, answer) => {
    expect(readUnaryUsage("embed", answer)).toEqual({ ...emptyUsage, inputUncached: 7 });
  });

  it.each([
    undefined,
    [],
    {},
    { usage: null },
    { usage: { prompt_tokens: -1 } },
    { usage: { prompt_tokens: 0, total_tokens: 0 } },
    { meta: { billed_units: { search_units: 1 } } },
  ])("is unknown in %j", (answer) => {
    expect(readUnaryUsage("embed", answer)).toBeUndefined();
  });
});
