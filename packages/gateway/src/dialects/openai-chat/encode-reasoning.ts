import type { Effort, GenerateRequest } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import { isRefusedWithTools, nearestEffort, takesNoEffort } from "./forbidden.ts";
import type { LossReport } from "./losses.ts";

/** A token budget in words, after LiteLLM's table (`reasoning_effort` from `thinking.budget_tokens`). */
export function effortOfBudget(tokens: number): Effort {
  if (tokens >= 10_000) return "high";
  if (tokens >= 5_000) return "medium";
  return tokens >= 2_000 ? "low" : "minimal";
}

/** The `reasoning_effort` to send; undefined leaves it to the upstream. */
export function encodeReasoningEffort(
  request: GenerateRequest,
  target: EncodeTarget,
  report: LossReport,
): string | undefined {
  const effort = wishedEffort(request, target, report);
  const nearest = effort === undefined ? undefined : nearestEffort(effort, target);
  if (nearest !== undefined) report.meet("effort-moved", `${effort} to ${nearest}`);
  return nearest ?? effort;
}

function wishedEffort(request: GenerateRequest, target: EncodeTarget, report: LossReport): Effort | undefined {
  const wish = request.reasoning;
  const reasons = target.traits?.capabilities.reasoning;
  const hasFunctions = request.tools.some((tool) => tool.kind === "function");
  if (isRefusedWithTools(target, { hasFunctions, effort: undefined })) {
    const loss = target.hasOtherLane === true ? "reasoning-elsewhere" : "reasoning-with-tools";
    if (wish?.mode !== "off") report.meet(loss, undefined, "tools");
    return "none";
  }
  if (wish === undefined) return undefined;
  if (wish.mode === "off") return wish.effort === "none" || reasons === true ? "none" : undefined;
  if (reasons === false) {
    report.meet("reasoning-effort");
    return undefined;
  }
  if (takesNoEffort(target)) {
    if (wish.effort !== undefined || wish.budgetTokens !== undefined) report.meet("effort-fixed");
    return undefined;
  }
  if (wish.effort !== undefined) return wish.effort;
  if (wish.budgetTokens !== undefined) {
    report.meet("reasoning-budget");
    return effortOfBudget(wish.budgetTokens);
  }
  // To be shown what a model thinks is no wish that it think, and not every compatible server knows the field.
  if (wish.display !== undefined && reasons === undefined) return undefined;
  // "Adaptive" lets the model think as much as it wants: agentgateway maps it to high too.
  return wish.mode === "adaptive" ? "high" : "medium";
}
