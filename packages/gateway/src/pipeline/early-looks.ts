import { viewOf } from "#confidence/answer-view";
import { bestStillPossible } from "#confidence/estimators/early-stop";
import { logprobSignal } from "#confidence/estimators/log-probabilities";
import { judgeAnswer, judgeAtBest, type GateInput } from "#confidence/gate";
import { maxLogOdds } from "#confidence/log-odds";
import { shapeOf } from "#confidence/output-shape";
import { scoreOf } from "#confidence/score";
import type { CalibrationKey, Judgement, OutputShapeKind } from "#domain/confidence";
import type { GenerateRequest } from "#domain/request";
import type { EarlyLook } from "./keeping-watch.ts";

interface Looking extends Pick<GateInput, "rule" | "calibrations"> {
  readonly keyOf: (shape: OutputShapeKind, signals: string) => CalibrationKey;
  readonly request: GenerateRequest;
  /** An answer may be let go before it is whole. */
  readonly mayAbandon: boolean;
}

/** By so many tokens the first label, or the first value of JSON, is there (cascades.md §4.5). */
const prefixTokens = 16;
/** Fewer say too little to go by. */
const fewestTokens = 4;

/** Decides on the first tokens. Where they are not enough, or are doubted and may not be let go, the whole answer is. */
export function prefixLook({ keyOf, request, mayAbandon, ...by }: Looking): EarlyLook {
  return {
    firstAt: prefixTokens,
    look(events) {
      const view = viewOf(events);
      if (view.toolCalls.length > 0 || view.refusal !== "") return "over";
      if ((view.tokens?.length ?? 0) < prefixTokens) return undefined;
      const shape = shapeOf(view, request);
      const logprobs = logprobSignal(view, shape);
      if (logprobs === undefined) return "over";
      const scored = scoreOf({ logprobs });
      // A prefix is another thing than an answer, and is calibrated as one.
      const signals = `${scored.signals}+prefix`;
      const judgement = judgeAnswer({
        ...by,
        scored: { ...scored, signals },
        key: keyOf(shape, signals),
        irreversible: false,
      });
      if (judgement.verdict !== "doubted") return { verdict: "give", judgement };
      return mayAbandon ? { verdict: "doubt", judgement } : "over";
    },
  };
}

/**
 * Tells as soon as the confidence of what has come is below `below`: that the answer will be doubted is then likely, and
 * somebody else may be asked already. Decides nothing.
 */
export function fallingLook(
  { keyOf, request, ...by }: Looking,
  { below, onFalling }: { readonly below: number; readonly onFalling: () => void },
): EarlyLook {
  return {
    firstAt: fewestTokens,
    look(events) {
      const view = viewOf(events);
      if (view.toolCalls.length > 0) return "over";
      const shape = shapeOf(view, request);
      const logprobs = logprobSignal(view, shape);
      if (logprobs === undefined) return undefined;
      const scored = scoreOf({ logprobs });
      const { score } = judgeAnswer({ ...by, scored, key: keyOf(shape, scored.signals), irreversible: false });
      if (score === null || score >= below) return undefined;
      onFalling();
      return "over";
    },
  };
}

/** What an answer without a tool's call may still turn out to be. */
const shapes: readonly OutputShapeKind[] = ["label", "short", "long", "json"];
const stopped = "logprobs+stopped";

/** Lets an answer go as soon as it cannot pass any more, however it goes on (cascades.md §4.5). */
export function stopLook({ keyOf, request, ...by }: Looking): EarlyLook {
  return {
    firstAt: fewestTokens,
    look(events) {
      const { tokens, text, toolCalls } = viewOf(events);
      if (tokens === undefined || toolCalls.length > 0) return "over";
      const most = bestStillPossible(tokens, request.maxOutputTokens, text);
      if (most >= maxLogOdds) return undefined;
      let best: Judgement | undefined;
      for (const shape of shapes) {
        const key = keyOf(shape, "logprobs");
        const judgement = judgeAtBest({ ...by, key, irreversible: false }, most, "logprobs");
        if (judgement === undefined || judgement.verdict !== "doubted") return undefined;
        if ((judgement.score ?? 0) >= (best?.score ?? 0)) best = judgement;
      }
      if (best === undefined) return undefined;
      const { key, why } = best;
      // A bound is no score, and nothing is to be learnt from it as from one.
      const judgement = { ...best, key: { ...key, signals: stopped }, why: `stopped early: at best ${why}` };
      return { verdict: "doubt", judgement };
    },
  };
}

/** Whether stopping early is worth looking for: only an answer whose length is bounded can be ruled out. */
export function canStopEarly({ request, mayAbandon }: Looking): boolean {
  return mayAbandon && request.maxOutputTokens !== undefined && request.tools.length === 0;
}
