import type { CallOptions } from "#domain/call";
import { defaultConfidence, type ConfidenceRule } from "#domain/confidence";

/** The rule of a call: the caller's words over the route's, field by field. Undefined: nobody asks for confidence. */
export function confidenceRule(
  route: ConfidenceRule | undefined,
  { minConfidence, confidence }: Pick<CallOptions, "minConfidence" | "confidence">,
): ConfidenceRule | undefined {
  if (minConfidence === undefined && confidence === undefined) return route;
  const { pending: _pending, ...wish } = confidence ?? {};
  return { ...(route ?? defaultConfidence), ...wish, ...(minConfidence === undefined ? {} : { min: minConfidence }) };
}
