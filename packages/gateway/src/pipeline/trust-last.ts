import type { ConfidenceRule, Judgement } from "#domain/confidence";

/** Only what is free: tokens' probabilities, and answers that are there. */
export function unpaid(rule: ConfidenceRule): ConfidenceRule {
  const { second: _second, decision: _decision, judge: _judge, verifier: _verifier, ...free } = rule;
  return free;
}

/** An answer that is given because its target is the last. A failed gate is no doubt that trust could outweigh. */
export function trusted(judgement: Judgement): Judgement {
  if (judgement.verdict !== "doubted" || judgement.estimator === "gate") return judgement;
  return { ...judgement, verdict: "observed", why: `${judgement.why}; the last target is trusted by the rule` };
}
