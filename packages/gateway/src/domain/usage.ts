/**
 * Tokens of one answer in disjoint buckets: no token is counted in two of them, so a bill is a sum of products.
 * Unknown is absent, never zero.
 */
export interface Usage {
  /** Prompt tokens that were neither read from nor written to a cache. */
  readonly inputUncached: number;
  readonly cacheRead: number;
  /** Written to a cache that lives five minutes (or the provider's only one). */
  readonly cacheWrite: number;
  /** Written to a cache that lives an hour. */
  readonly cacheWriteLong: number;
  /** Visible answer tokens, without reasoning. */
  readonly output: number;
  readonly reasoning: number;
  /** Counted by us from bytes because the provider reported nothing. */
  readonly estimated: boolean;
}

export const emptyUsage: Usage = {
  inputUncached: 0,
  cacheRead: 0,
  cacheWrite: 0,
  cacheWriteLong: 0,
  output: 0,
  reasoning: 0,
  estimated: false,
};

/** All prompt tokens: the base OpenAI and Gemini report. */
export function promptTokens(usage: Usage): number {
  return usage.inputUncached + usage.cacheRead + usage.cacheWrite + usage.cacheWriteLong;
}

/** All generated tokens, reasoning included. */
export function completionTokens(usage: Usage): number {
  return usage.output + usage.reasoning;
}

/**
 * Splits an inclusive prompt count into buckets and guards against reports like Grok on Azure's, where the cached
 * part exceeds the whole (seen 29 times in recordings).
 */
export function fromInclusive(counts: {
  prompt: number;
  cacheRead?: number;
  cacheWrite?: number;
  completion: number;
  reasoning?: number;
}): Usage {
  const cacheRead = within(counts.cacheRead ?? 0, counts.prompt);
  const cacheWrite = within(counts.cacheWrite ?? 0, counts.prompt - cacheRead);
  const reasoning = within(counts.reasoning ?? 0, counts.completion);
  return {
    inputUncached: counts.prompt - cacheRead - cacheWrite,
    cacheRead,
    cacheWrite,
    cacheWriteLong: 0,
    output: counts.completion - reasoning,
    reasoning,
    estimated: false,
  };
}

function within(part: number, whole: number): number {
  return Math.max(0, Math.min(part, whole));
}
