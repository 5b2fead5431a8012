import type { Effort, GenerateRequest } from "#domain/request";
import { generationOf, type ModelGeneration } from "./claude-generation.ts";
import type { EncodeTarget } from "./dialect.ts";

export interface ThinkingFields {
  readonly thinking?: Readonly<Record<string, unknown>>;
  readonly effort?: string;
}

/** Hears what a wish for thoughts loses; each language that Claude is asked in has rows of these names in its table. */
export interface ThinkingLosses {
  note(
    name:
      | "thinking-unsupported"
      | "thinking-with-forced-tool"
      | "thinking-without-history"
      | "thinking-without-room"
      | "effort-lowered"
      | "effort-as-budget"
      | "budget-as-effort"
      | "budget-fitted",
    detail?: string,
  ): void;
}

export interface ThinkingSituation {
  readonly request: GenerateRequest;
  readonly target: EncodeTarget;
  readonly maxTokens: number;
  /** The last assistant turn calls tools and carries no thought the target can read. */
  readonly unexplainedCalls: boolean;
  readonly ledger: ThinkingLosses;
}

/** Anthropic's smallest budget; it must also stay below `max_tokens`. */
const leastBudget = 1024;

/** LiteLLM's table for low to high, doubled on for the two efforts it does not have. */
const budgetOf: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 2048,
  high: 4096,
  xhigh: 8192,
  max: 16_384,
};

/** The `thinking` and `output_config.effort` that come nearest to what was wished for. */
export function encodeThinking(situation: ThinkingSituation): ThinkingFields {
  const { request, target, ledger } = situation;
  const wish = request.reasoning;
  if (wish === undefined) return {};
  const generation = generationOf(target.model);
  if (target.traits?.capabilities.reasoning === false || (!generation.budget && !generation.adaptive)) {
    if (wish.mode !== "off" && wish.effort !== "none") ledger.note("thinking-unsupported");
    return {};
  }
  if (wish.mode === "off" || wish.effort === "none") {
    const effort =
      generation.adaptive && wish.effort !== "none" ? effortFor(wish.effort, generation, ledger) : undefined;
    return { thinking: { type: "disabled" }, ...(effort === undefined ? {} : { effort }) };
  }
  const exactBudget = generation.budget && wish.budgetTokens !== undefined && wish.effort === undefined;
  return generation.adaptive && !exactBudget ? adaptive(situation, generation) : budgeted(situation);
}

function adaptive(situation: ThinkingSituation, generation: ModelGeneration): ThinkingFields {
  const { request, ledger } = situation;
  const wish = request.reasoning;
  let wished = wish?.effort;
  if (wish?.budgetTokens !== undefined && wished === undefined) {
    wished = effortOfBudget(wish.budgetTokens);
    ledger.note("budget-as-effort", `${wish.budgetTokens} tokens as ${wished}`);
  }
  const effort = effortFor(wished, generation, ledger);
  const fields = effort === undefined ? {} : { effort };
  if (isToolForced(request)) {
    ledger.note("thinking-with-forced-tool");
    return fields;
  }
  const display = wish?.display === undefined ? {} : { display: wish.display };
  return { thinking: { type: "adaptive", ...display }, ...fields };
}

function budgeted(situation: ThinkingSituation): ThinkingFields {
  const { request, maxTokens, ledger, unexplainedCalls } = situation;
  if (isToolForced(request)) {
    ledger.note("thinking-with-forced-tool");
    return {};
  }
  if (unexplainedCalls) {
    ledger.note("thinking-without-history");
    return {};
  }
  if (maxTokens <= leastBudget) {
    ledger.note("thinking-without-room");
    return {};
  }
  const wish = request.reasoning;
  const effort = wish?.effort ?? "high";
  const wished = wish?.budgetTokens ?? budgetOf[effort];
  const fitted = Math.max(leastBudget, Math.min(wished, maxTokens - 1));
  if (wish?.budgetTokens === undefined) ledger.note("effort-as-budget", `${effort} as ${fitted} tokens`);
  else if (fitted !== wished) ledger.note("budget-fitted", `${wished} to ${fitted} tokens`);
  const display = wish?.display === undefined ? {} : { display: wish.display };
  return { thinking: { type: "enabled", budget_tokens: fitted, ...display } };
}

function effortFor(
  wished: Effort | undefined,
  generation: ModelGeneration,
  ledger: ThinkingLosses,
): string | undefined {
  if (wished === undefined) return undefined;
  const nearest =
    wished === "minimal" || wished === "none" ? "low" : wished === "xhigh" && !generation.xhigh ? "high" : wished;
  if (nearest !== wished) ledger.note("effort-lowered", `${wished} as ${nearest}`);
  return nearest;
}

/** LiteLLM's borders, the reverse of its budgets. */
function effortOfBudget(tokens: number): Effort {
  if (tokens >= 10_000) return "high";
  return tokens >= 5000 ? "medium" : "low";
}

function isToolForced(request: GenerateRequest): boolean {
  return request.toolChoice?.kind === "required" || request.toolChoice?.kind === "named";
}
