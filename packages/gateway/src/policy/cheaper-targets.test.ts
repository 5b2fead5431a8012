import { describe, expect, it } from "vitest";
import type { Price } from "#domain/model";
import { isFree } from "./cheaper-targets.ts";

const from = { source: "test", date: "2026-11-26" };
const zero: Price = { input: 0, output: 0, from };

describe("a target that costs nothing", () => {
  it.each([
    ["zero for input and output", zero, true],
    ["zero for everything", { ...zero, request: 0, cacheRead: 0, tiers: [{ abovePromptTokens: 1, input: 0 }] }, true],
    ["no price", undefined, false],
    ["no price of output", { input: 0, from }, false],
    ["a price for each request", { ...zero, request: 1 }, false],
    ["a price of reasoning", { ...zero, reasoning: 5 }, false],
    ["a price of long prompts", { ...zero, tiers: [{ abovePromptTokens: 1, input: 3 }] }, false],
  ] satisfies readonly (readonly [string, Price | undefined, boolean])[])(
    "is one with %s: %o, %s",
    (_, price, free) => {
      expect(isFree(price)).toBe(free);
    },
  );
});
