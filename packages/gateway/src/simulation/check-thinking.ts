import { object, objects, type JsonObject } from "./received-request.ts";
import type { Violation } from "./voice.ts";

const minBudget = 1024;

/** Models that think adaptively only. Source: Anthropic's migration guide (read 2026-11). */
const adaptiveOnly = /claude-(?:opus-(?:4-(?:[7-9]|\d\d)|[5-9])|sonnet-[5-9]|fable)/;

/** What Anthropic refuses of a wish to think. */
export function checkThinking(json: JsonObject): Violation | undefined {
  const thinking = object(json["thinking"]);
  if (thinking?.["type"] !== "enabled") return undefined;
  const model = String(json["model"]);
  if (adaptiveOnly.test(model)) {
    return {
      message: `thinking.type: 'enabled' is not supported for ${model}. Use 'adaptive' and output_config.effort.`,
    };
  }
  const budget = thinking["budget_tokens"];
  if (typeof budget !== "number" || budget < minBudget) {
    return { message: `thinking.enabled.budget_tokens: Input should be greater than or equal to ${minBudget}` };
  }
  const maxTokens = json["max_tokens"];
  if (typeof maxTokens === "number" && budget >= maxTokens) {
    return { message: "`max_tokens` must be greater than `thinking.budget_tokens`" };
  }
  return checkOpenTurn(json);
}

/** A turn that called tools goes on once their results are there; with thinking it began with a thought. */
function checkOpenTurn(json: JsonObject): Violation | undefined {
  const turns = objects(json["messages"]);
  const last = turns.at(-1);
  const results = objects(last?.["content"]).some(({ type }) => type === "tool_result");
  const index = turns.length - 2;
  const first = results ? objects(turns[index]?.["content"])[0] : undefined;
  const type = first?.["type"];
  if (first === undefined || type === "thinking" || type === "redacted_thinking") return undefined;
  return {
    message:
      `messages.${index}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${String(type)}\`. ` +
      "When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
  };
}
