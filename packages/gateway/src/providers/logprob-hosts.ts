/**
 * Kinds whose language has no log-probabilities of an answer's tokens: Anthropic's Messages and Amazon's Converse, by their
 * reference pages of 2026. Others have the field; a model of theirs may still refuse it.
 */
const without: ReadonlySet<string> = new Set(["anthropic", "anthropic-compatible", "bedrock"]);

export function mayTellLogprobs(kind: string): boolean {
  return !without.has(kind);
}
