import { expect, it } from "vitest";
import { bedrockBetas, hostedBetas, noBetas, olderBedrockBetas, vertexBetas } from "./claude-betas.ts";

/** Those that Claude Code 2.1.329 asks for, as captured. */
const claudeCode =
  "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,effort-2025-11-24," +
  "advanced-tool-use-2025-11-20,per-turn-control-2026-07-01,mid-conversation-tool-changes-2026-07-01";
const unknown = ["per-turn-control-2026-07-01", "mid-conversation-tool-changes-2026-07-01"];

it("gives a host the betas that it knows, each once, in the caller's order", () => {
  expect(hostedBetas(claudeCode, olderBedrockBetas)).toEqual({
    taken: [
      "interleaved-thinking-2025-05-14",
      "context-management-2025-06-27",
      "effort-2025-11-24",
      "tool-search-tool-2025-10-19",
    ],
    leftOut: unknown,
  });
  expect(hostedBetas(claudeCode, bedrockBetas)).toEqual({
    taken: ["interleaved-thinking-2025-05-14", "context-management-2025-06-27"],
    leftOut: ["effort-2025-11-24", "advanced-tool-use-2025-11-20", ...unknown],
  });
  expect(hostedBetas("a-1, tool-search-tool-2025-10-19 ,advanced-tool-use-2025-11-20,a-1", vertexBetas)).toEqual({
    taken: ["tool-search-tool-2025-10-19"],
    leftOut: ["a-1"],
  });
});

it("leaves the marks of Anthropic's own clients out without a word", () => {
  expect(hostedBetas("claude-code-20250219,oauth-2025-04-20", noBetas)).toEqual({ taken: [], leftOut: [] });
  expect(hostedBetas(undefined, vertexBetas)).toEqual({ taken: [], leftOut: [] });
  expect(hostedBetas(" , ", vertexBetas)).toEqual({ taken: [], leftOut: [] });
});
