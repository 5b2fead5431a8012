import { encodeThinking } from "#dialects/claude-thinking";
import type { EncodeTarget } from "#dialects/dialect";
import type { Effort, GenerateRequest } from "#domain/request";
import type { ArrangedTurn } from "./arrange-turns.ts";
import type { LossLedger } from "./losses.ts";
import { namesOf, novaReasons, type ModelFamily } from "./model-family.ts";

export interface ReasoningSituation {
  readonly request: GenerateRequest;
  readonly target: EncodeTarget;
  readonly family: ModelFamily;
  readonly turns: readonly ArrangedTurn[];
  /** Undefined where nobody says how long an answer may be. */
  readonly maxTokens: number | undefined;
  readonly ledger: LossLedger;
}

export interface ReasoningFields {
  /** Of `additionalModelRequestFields`. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Sampling parameters are refused beside it. */
  readonly thinks: boolean;
  /** The limit of the answer the model needs beside a budget, where there was none. */
  readonly maxTokens?: number;
}

const nothing: ReasoningFields = { fields: {}, thinks: false };

/** The wish in the words of the model's own maker, which stand among the additional fields. */
export function encodeReasoning(situation: ReasoningSituation): ReasoningFields {
  const wish = situation.request.reasoning;
  if (wish === undefined) return nothing;
  switch (situation.family.id) {
    case "claude":
      return claudeThinking(situation);
    case "nova":
      return novaReasoning(situation);
    case "gpt":
      return { fields: { reasoning_effort: openaiEffort(situation) }, thinks: false };
    default:
      if (!isOff(situation.request)) situation.ledger.note("thinking-unsupported");
      return nothing;
  }
}

function isOff({ reasoning }: GenerateRequest): boolean {
  return reasoning?.mode === "off" || reasoning?.effort === "none";
}

/** Room for the answer beside a budget where the caller named no limit. */
const roomForAnswer = 4096;

function claudeThinking({ request, target, turns, maxTokens, ledger }: ReasoningSituation): ReasoningFields {
  const { thinking, effort } = encodeThinking({
    request,
    // An ARN says nothing of the model behind it.
    target: { ...target, model: namesOf(target) },
    maxTokens: maxTokens ?? Number.MAX_SAFE_INTEGER,
    unexplainedCalls: hasUnexplainedCalls(turns),
    ledger,
  });
  const budget = thinking?.["budget_tokens"];
  const needed = typeof budget === "number" && maxTokens === undefined ? budget + roomForAnswer : undefined;
  if (needed !== undefined) ledger.note("max-tokens-invented", `${needed}`);
  return {
    fields: {
      ...(thinking === undefined ? {} : { thinking }),
      ...(effort === undefined ? {} : { output_config: { effort } }),
    },
    thinks: thinking !== undefined && thinking["type"] !== "disabled",
    ...(needed === undefined ? {} : { maxTokens: needed }),
  };
}

/** With thinking on, some generations refuse a tool call in the running exchange that no thought precedes. */
function hasUnexplainedCalls(turns: readonly ArrangedTurn[]): boolean {
  const parts = turns.findLast((turn) => turn.role === "assistant")?.parts ?? [];
  return parts.some((part) => part.kind === "tool-call") && !parts.some((part) => part.kind === "reasoning");
}

/**
 * Amazon's guide to Nova 2: `reasoningConfig` with an effort of low, medium or high; high takes neither sampling
 * parameters nor a limit of the answer.
 */
function novaReasoning({ request, target, maxTokens, ledger }: ReasoningSituation): ReasoningFields {
  if (!novaReasons(target)) {
    if (!isOff(request)) ledger.note("thinking-unsupported");
    return nothing;
  }
  if (isOff(request)) return { fields: { reasoningConfig: { type: "disabled" } }, thinks: false };
  const wished = effortOf(request, ledger) ?? "medium";
  const nearest = threeEfforts[wished];
  const effort = nearest === "high" && maxTokens !== undefined ? "medium" : nearest;
  if (effort !== wished) ledger.note("effort-lowered", `${wished} as ${effort}`);
  return {
    fields: { reasoningConfig: { type: "enabled", maxReasoningEffort: effort } },
    thinks: effort === "high",
  };
}

const threeEfforts: Readonly<Record<Effort, "low" | "medium" | "high">> = {
  none: "low",
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high",
};

/** OpenAI's open models always reason. */
function openaiEffort({ request, ledger }: ReasoningSituation): string {
  const wished = isOff(request) ? "none" : (effortOf(request, ledger) ?? "medium");
  const effort = threeEfforts[wished];
  if (effort !== wished) ledger.note("effort-lowered", `${wished} as ${effort}`);
  return effort;
}

/** A budget's borders are LiteLLM's. */
function effortOf({ reasoning }: GenerateRequest, ledger: LossLedger): Effort | undefined {
  if (reasoning?.effort !== undefined || reasoning?.budgetTokens === undefined) return reasoning?.effort;
  const tokens = reasoning.budgetTokens;
  const effort = tokens >= 10_000 ? "high" : tokens >= 5000 ? "medium" : "low";
  ledger.note("budget-as-effort", `${tokens} tokens as ${effort}`);
  return effort;
}
