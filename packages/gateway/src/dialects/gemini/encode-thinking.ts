import type { Effort, GenerateRequest } from "#domain/request";
import type { EncodeTarget } from "#dialects/dialect";
import type { JsonObject } from "#dialects/shape";
import type { LossLedger } from "./losses.ts";
import { generationOf } from "./model-generation.ts";

export interface ThinkingSituation {
  readonly request: GenerateRequest;
  readonly target: EncodeTarget;
  readonly ledger: LossLedger;
}

/** From little to much; `none` stands for itself. */
const scale: readonly Effort[] = ["minimal", "low", "medium", "high", "xhigh", "max"];

/** Google's own table for its OpenAI-compatible address (ai.google.dev/gemini-api/docs/openai), `xhigh` set between. */
const budgetOf: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 28_672,
  max: 32_768,
};

/** The `thinkingConfig` that comes nearest to what was wished for. */
export function encodeThinking(situation: ThinkingSituation): JsonObject | undefined {
  const { request, target, ledger } = situation;
  const wish = request.reasoning;
  if (wish === undefined) return undefined;
  const { thinking } = generationOf(target.model);
  const isOff = wish.mode === "off" || wish.effort === "none";
  if (thinking.kind === "none" || target.traits?.capabilities.reasoning === false) {
    if (!isOff) ledger.note("thinking-unsupported");
    return undefined;
  }
  const shown = isOff || wish.display === "omitted" ? {} : { includeThoughts: true };
  const amount =
    thinking.kind === "level"
      ? levelOf(situation, thinking.levels, isOff)
      : budget(situation, { ...thinking, off: isOff });
  const config = { ...shown, ...amount };
  return Object.keys(config).length === 0 ? undefined : config;
}

function levelOf(situation: ThinkingSituation, levels: readonly Effort[], isOff: boolean): JsonObject {
  const { request, target, ledger } = situation;
  const known = target.traits?.capabilities.reasoningControl?.efforts?.filter((word) =>
    (scale as readonly string[]).includes(word),
  ) as readonly Effort[] | undefined;
  const choice = known === undefined || known.length === 0 ? levels : known;
  const wish = request.reasoning;
  if (isOff) {
    ledger.note("thinking-not-off");
    return level(nearest("minimal", choice));
  }
  let wished = wish?.effort;
  if (wished === undefined && wish?.budgetTokens !== undefined) {
    wished = effortOfBudget(wish.budgetTokens);
    ledger.note("budget-as-effort", `${wish.budgetTokens} tokens as ${wished}`);
  }
  if (wished === undefined) return {};
  const given = nearest(wished, choice);
  if (given !== wished) ledger.note("effort-moved", `${wished} as ${given}`);
  return level(given);
}

function level(effort: Effort): JsonObject {
  return { thinkingLevel: effort.toUpperCase() };
}

/** The wished effort or the next one the model knows; of two equally near, the one that thinks more. */
function nearest(wished: Effort, known: readonly Effort[]): Effort {
  const at = scale.indexOf(wished);
  const byDistance = [...known].toSorted(
    (a, b) => Math.abs(scale.indexOf(a) - at) - Math.abs(scale.indexOf(b) - at) || scale.indexOf(b) - scale.indexOf(a),
  );
  return byDistance[0] ?? wished;
}

interface BudgetRange {
  readonly min: number;
  readonly max: number;
  readonly canStop: boolean;
  readonly off: boolean;
}

function budget({ request, ledger }: ThinkingSituation, range: BudgetRange): JsonObject {
  const wish = request.reasoning;
  if (range.off) {
    if (range.canStop) return { thinkingBudget: 0 };
    ledger.note("thinking-not-off");
    return { thinkingBudget: range.min };
  }
  if (wish?.budgetTokens !== undefined) {
    const fitted = Math.max(range.min, Math.min(Math.round(wish.budgetTokens), range.max));
    if (fitted !== wish.budgetTokens) ledger.note("budget-fitted", `${wish.budgetTokens} to ${fitted} tokens`);
    return { thinkingBudget: fitted };
  }
  // As much as the model finds right; Flash-Lite does not think unless it is told so.
  if (wish?.effort === undefined) return { thinkingBudget: -1 };
  const tokens = Math.max(range.min, Math.min(budgetOf[wish.effort], range.max));
  ledger.note("effort-as-budget", `${wish.effort} as ${tokens} tokens`);
  return { thinkingBudget: tokens };
}

/** Between the steps of the table above. */
function effortOfBudget(tokens: number): Effort {
  if (tokens < 1024) return "minimal";
  if (tokens < 4096) return "low";
  return tokens < 16_384 ? "medium" : "high";
}
